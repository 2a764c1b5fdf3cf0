import { rekeyHost, type RekeyedHost } from '../../lib/host/rekey.js'
import { parseFingerprint } from '../../lib/ssh/host-key.js'
import { hostArg } from '../../lib/terminal/arguments.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { hostKeyFlags } from '../../lib/terminal/flags.js'

export default class HostRekey extends BaseCommand<RekeyedHost> {
  static override summary = "pin another host key, after a machine's was changed on purpose"
  static override description =
    'A machine that was set up anew shows another host key, and every command refuses it (exit 6). Find out ' +
    'first that this is the reason. The recorded login must work there, else nothing is changed.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> db2 --host-key SHA256:jM8t7hYd0cC1s5q1V2sBq0y6c7bHn3S9b6kq2J0mX1E',
    '<%= config.bin %> <%= command.id %> db2',
  ]

  static override args = hostArg

  static override flags = { ...hostKeyFlags }

  protected async execute(): Promise<RekeyedHost> {
    const { args, flags } = await this.parse(HostRekey)
    const { 'host-key': hostKey, 'host-key-type': hostKeyType, offline: isOffline } = flags
    const fingerprint = hostKey === undefined ? undefined : parseFingerprint(hostKey)
    const asked = { name: args.name, fingerprint, hostKeyType, isOffline }
    return rekeyHost(await this.changingWorkspace(flags), asked, this.ways(flags))
  }

  protected render(result: RekeyedHost): void {
    this.screen.facts([
      ['host', result.name],
      ['outcome', result.outcome],
      ['former host key', `${result.former.type} ${result.former.fingerprint}`],
      ['host key', `${result.hostKey.type} ${result.hostKey.fingerprint}`],
      ['login seen to work', result.verified ? 'yes' : 'no'],
    ])
  }
}
