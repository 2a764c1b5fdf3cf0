import { removeHost, type RemovedHost } from '../../lib/host/remove.js'
import { hostArg } from '../../lib/terminal/arguments.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { yesFlag } from '../../lib/terminal/flags.js'

export default class HostRemove extends BaseCommand<RemovedHost> {
  static override summary =
    'forget a machine of the database estate and erase the key that opens it'
  static override description =
    'The host itself is not contacted: its data, backups and snapshots stay, and it goes on taking the key.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> db3',
    '<%= config.bin %> <%= command.id %> db3 --yes',
  ]

  static override args = hostArg

  static override flags = { ...yesFlag }

  protected async execute(): Promise<RemovedHost> {
    const { args, flags } = await this.parse(HostRemove)
    const workspace = await this.changingWorkspace(flags)
    await this.confirm(flags, `Erase the key that opens ${args.name} for good?`)
    return removeHost(workspace, { name: args.name })
  }

  protected render({ name, outcome }: RemovedHost): void {
    this.screen.line(`${name} ${outcome}`)
  }
}
