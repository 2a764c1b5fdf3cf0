import {
  importInstallations,
  type InstallationImport as Result,
} from '../../lib/installation/import.js'
import { importedFileArg } from '../../lib/terminal/arguments.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { dryRunFlag } from '../../lib/terminal/flags.js'
import { importFlags, renderRejects } from '../../lib/terminal/import-report.js'

export default class InstallationImport extends BaseCommand<Result> {
  static override summary = 'enter the installations of a file'
  static override description =
    'Columns: code, name, timezone, latitude, longitude. A row that is refused does not keep the ' +
    'others out (exit 3). An installation that exists with the same facts is unchanged; one with other ' +
    'facts is refused.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> plants.csv',
    '<%= config.bin %> <%= command.id %> plants.csv --dry-run',
  ]

  static override args = importedFileArg

  static override flags = { ...importFlags, ...dryRunFlag }

  protected async execute(): Promise<Result> {
    const { args, flags } = await this.parse(InstallationImport)
    const { format, rejects, strict: isStrict, 'dry-run': isDryRun } = flags
    const workspace = await this.workspaceFor(flags, !isDryRun)
    return importInstallations(workspace, { input: args.file, format, rejects, isStrict, isDryRun })
  }

  protected render(result: Result): void {
    this.screen.facts([
      [result.dryRun ? 'would import' : 'imported', String(result.imported)],
      ['unchanged', String(result.unchanged)],
      ['refused', String(result.rejected)],
      ['reject file', result.rejectsFile ?? '-'],
    ])
    renderRejects(this.screen, result.rejects, {
      title: 'INSTALLATION',
      text: ({ installation }) => installation,
    })
  }
}
