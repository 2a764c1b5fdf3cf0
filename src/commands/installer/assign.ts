import { type AssignedInstaller, assignInstaller } from '../../lib/installer/assign.js'
import { emailArg, installationsArg } from '../../lib/terminal/arguments.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'

export default class InstallerAssign extends BaseCommand<AssignedInstaller> {
  static override summary = 'let an installer place devices at installations'
  static override description =
    'All installations or, when one of them is unknown or retired, none.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> installer@example.com solar-0042',
    '<%= config.bin %> <%= command.id %> installer@example.com solar-0042 solar-0043',
  ]

  static override strict = false

  static override args = {
    ...emailArg,
    ...installationsArg,
  }

  protected async execute(): Promise<AssignedInstaller> {
    const { args, argv, flags } = await this.parse(InstallerAssign)
    const installations = argv.slice(1).map(String)
    const workspace = await this.changingWorkspace(flags)
    return assignInstaller(workspace, { email: args.email, installations })
  }

  protected render(result: AssignedInstaller): void {
    this.screen.facts([
      ['installer', result.email],
      ['assigned', result.assigned.join(' ') || '-'],
      ['unchanged', result.unchanged.join(' ') || '-'],
    ])
  }
}
