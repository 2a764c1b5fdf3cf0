import { type UnassignedInstaller, unassignInstaller } from '../../lib/installer/assign.js'
import { emailArg, installationsArg } from '../../lib/terminal/arguments.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'

export default class InstallerUnassign extends BaseCommand<UnassignedInstaller> {
  static override summary = 'take installations from an installer'
  static override description =
    'Running gates follow within a second. Devices the installer placed stay placed.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> installer@example.com solar-0042',
    '<%= config.bin %> <%= command.id %> installer@example.com solar-0042 solar-0043',
  ]

  static override strict = false

  static override args = {
    ...emailArg,
    ...installationsArg,
  }

  protected async execute(): Promise<UnassignedInstaller> {
    const { args, argv, flags } = await this.parse(InstallerUnassign)
    const installations = argv.slice(1).map(String)
    const workspace = await this.changingWorkspace(flags)
    return unassignInstaller(workspace, { email: args.email, installations })
  }

  protected render(result: UnassignedInstaller): void {
    this.screen.facts([
      ['installer', result.email],
      ['unassigned', result.unassigned.join(' ') || '-'],
      ['unchanged', result.unchanged.join(' ') || '-'],
    ])
  }
}
