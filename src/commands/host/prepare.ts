import { prepareHost, type PreparedHost } from '../../lib/host/prepare/prepare.js'
import { administratorFlags, readAdministrator } from '../../lib/terminal/administrator.js'
import { hostArg } from '../../lib/terminal/arguments.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { yesFlag } from '../../lib/terminal/flags.js'

const MARKS = { changed: 'ok', unchanged: 'ok', todo: 'warning' } as const

export default class HostPrepare extends BaseCommand<PreparedHost> {
  static override summary =
    'give a machine what it needs for snapshots and backups, with the least power'
  static override description =
    'Prints a script for root. It lets the recorded key make, list, copy and delete snapshots of ours and nothing ' +
    "else, and lets pgBackRest of the other machines in for its remote side alone; their users' public keys are asked " +
    'for by SSH. With --yes it is run on the machine by an administrator who is root there or may use sudo without a ' +
    "password. sshd's configuration is never changed: where root may not come in at all, the result says so."

  static override examples = [
    '<%= config.bin %> <%= command.id %> db1 > prepare-db1.sh',
    '<%= config.bin %> <%= command.id %> db1 --yes --username admin --identity ~/.ssh/admin',
  ]

  static override args = hostArg

  static override flags = {
    ...yesFlag,
    ...administratorFlags({ dependsOn: ['yes'] }),
  }

  protected async execute(): Promise<PreparedHost> {
    const { args, flags } = await this.parse(HostPrepare)
    const { yes } = flags
    const administrator = await readAdministrator(flags, (input) => this.secretInput(flags, input))
    const workspace = this.workspaceFor(flags, yes)
    return prepareHost(await workspace, {
      name: args.name,
      environment: process.env,
      administrator: yes ? administrator : undefined,
    })
  }

  protected render({ outcome, steps, script }: PreparedHost): void {
    if (outcome === 'printed') this.screen.preformatted(script.trimEnd())
    for (const step of steps) this.screen.mark(MARKS[step.outcome], step.what, step.outcome)
  }
}
