import { type DisabledInstaller, disableInstaller } from '../../lib/installer/disable.js'
import { emailArg } from '../../lib/terminal/arguments.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { yesFlag } from '../../lib/terminal/flags.js'

export default class InstallerDisable extends BaseCommand<DisabledInstaller> {
  static override summary = 'shut an installer out'
  static override description =
    'No login any more; every running gate refuses the tokens the app holds within a second. ' +
    'Devices the installer placed stay placed.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> installer@example.com',
    '<%= config.bin %> <%= command.id %> installer@example.com --yes',
  ]

  static override args = emailArg

  static override flags = { ...yesFlag }

  protected async execute(): Promise<DisabledInstaller> {
    const { args, flags } = await this.parse(InstallerDisable)
    const workspace = await this.changingWorkspace(flags)
    await this.confirm(flags, `Shut ${args.email} out of the mobile app?`)
    return disableInstaller(workspace, { email: args.email })
  }

  protected render(result: DisabledInstaller): void {
    this.screen.line(`installer ${result.email} ${result.outcome}`)
  }
}
