import { parseFingerprint } from '../../lib/ssh/host-key.js'
import { rekeyRouter, type RekeyedRouter } from '../../lib/router/rekey.js'
import { installationArg } from '../../lib/terminal/arguments.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { hostKeyFlags } from '../../lib/terminal/flags.js'

export default class RouterRekey extends BaseCommand<RekeyedRouter> {
  static override summary = 'pin another host key, after it was changed on purpose'
  static override description =
    'A router that was reset or replaced shows another host key, and every command refuses it (exit 6). ' +
    'Find out first that this is the reason. The recorded credential must open the router that holds ' +
    'the new key, else nothing is changed.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> solar-0042 --host-key SHA256:jM8t7hYd0cC1s5q1V2sBq0y6c7bHn3S9b6kq2J0mX1E',
    '<%= config.bin %> <%= command.id %> solar-0042',
  ]

  static override args = installationArg

  static override flags = { ...hostKeyFlags }

  protected async execute(): Promise<RekeyedRouter> {
    const { args, flags } = await this.parse(RouterRekey)
    const { 'host-key': hostKey, 'host-key-type': hostKeyType, offline: isOffline } = flags
    const fingerprint = hostKey === undefined ? undefined : parseFingerprint(hostKey)
    const { installation } = args
    const asked = { installation, fingerprint, hostKeyType, isOffline }
    return rekeyRouter(await this.changingWorkspace(flags), asked, this.ways(flags))
  }

  protected render(result: RekeyedRouter): void {
    this.screen.facts([
      ['installation', result.installation],
      ['outcome', result.outcome],
      ['former host key', `${result.former.type} ${result.former.fingerprint}`],
      ['host key', `${result.hostKey.type} ${result.hostKey.fingerprint}`],
      ['login seen to work', result.verified ? 'yes' : 'no'],
    ])
  }
}
