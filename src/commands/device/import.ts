import { Flags } from '@oclif/core'
import { importDevices, type DeviceImport as Result } from '../../lib/device/import.js'
import { importedFileArg } from '../../lib/terminal/arguments.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { dryRunFlag } from '../../lib/terminal/flags.js'
import { importFlags, renderRejects } from '../../lib/terminal/import-report.js'

export default class DeviceImport extends BaseCommand<Result> {
  static override summary = "register the devices of a factory's file"
  static override description =
    'Columns: serial, model, batch, manufacturedAt (a date or RFC 3339). Each new device gets a secret, ' +
    'which goes into the secrets file and nowhere else; the database keeps its digest. A row that is ' +
    'refused does not keep the others out (exit 3). Given again, after an interruption as well, it goes ' +
    'on where it stopped.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> factory.csv --secrets-out secrets.csv',
    '<%= config.bin %> <%= command.id %> factory.csv --dry-run',
    'zcat factory.ndjson.gz | <%= config.bin %> <%= command.id %> - --format ndjson --secrets-out secrets.csv --strict',
  ]

  static override args = importedFileArg

  static override flags = {
    'secrets-out': Flags.string({
      description:
        'file for the new secrets (CSV: serial,secret), readable by you alone, never overwritten; needed unless --dry-run',
      helpValue: 'FILE',
      atLeastOne: ['secrets-out', 'dry-run'],
    }),
    ...importFlags,
    ...dryRunFlag,
  }

  protected async execute(): Promise<Result> {
    const { args, flags } = await this.parse(DeviceImport)
    const { 'dry-run': isDryRun } = flags
    const workspace = await this.workspaceFor(flags, !isDryRun)
    return importDevices(workspace, {
      input: args.file,
      format: flags.format,
      secretsOut: flags['secrets-out'],
      rejects: flags.rejects,
      isStrict: flags.strict,
      isDryRun,
    })
  }

  protected render(result: Result): void {
    this.screen.facts([
      [result.dryRun ? 'would import' : 'imported', String(result.imported)],
      ['unchanged', String(result.unchanged)],
      ['refused', String(result.rejected)],
      ['secrets file', result.secretsFile ?? '-'],
      ['reject file', result.rejectsFile ?? '-'],
      ['seconds', (result.durationMs / 1000).toFixed(1)],
    ])
    renderRejects(this.screen, result.rejects, { title: 'SERIAL', text: ({ serial }) => serial })
  }
}
