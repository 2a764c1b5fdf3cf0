import { removeRouter, type RemovedRouter } from '../../lib/router/remove.js'
import { installationArg } from '../../lib/terminal/arguments.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { yesFlag } from '../../lib/terminal/flags.js'

export default class RouterRemove extends BaseCommand<RemovedRouter> {
  static override summary = 'forget a router and erase its secrets'
  static override description =
    'Every version of its password and Wi-Fi passphrase is erased here for good; the router itself is not ' +
    'contacted and goes on taking them. If it is still in use, `router reveal` first.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> solar-0042',
    '<%= config.bin %> <%= command.id %> solar-0042 --yes',
  ]

  static override args = installationArg

  static override flags = { ...yesFlag }

  protected async execute(): Promise<RemovedRouter> {
    const { args, flags } = await this.parse(RouterRemove)
    const { installation } = args
    const workspace = await this.changingWorkspace(flags)
    await this.confirm(flags, `Erase every secret of the router of ${installation} for good?`)
    return removeRouter(workspace, { installation })
  }

  protected render({ installation, outcome }: RemovedRouter): void {
    this.screen.line(`router of ${installation} ${outcome}`)
  }
}
