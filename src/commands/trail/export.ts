import { Flags } from '@oclif/core'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { type ExportedTrail, exportTrail } from '../../lib/trail/export.js'

export default class TrailExport extends BaseCommand<ExportedTrail> {
  static override summary = 'write the whole trail, one JSON object a line'
  static override description =
    'Oldest row first, each with its hash, so that `trail verify --file` can check the copy without ' +
    'the database; it does so only while the lines are kept as they are. --json prints a summary and ' +
    'needs --output.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> --output trail.ndjson',
    '<%= config.bin %> <%= command.id %> | gzip > trail.ndjson.gz',
  ]

  static override flags = {
    output: Flags.string({
      description: 'new file for the rows, made readable by you alone; never overwritten',
      helpValue: 'FILE',
    }),
  }

  protected async execute(): Promise<ExportedTrail> {
    const { flags } = await this.parse(TrailExport)
    return exportTrail(await this.workspace(flags), {
      file: flags.output,
      write: this.jsonEnabled() ? undefined : (text) => this.screen.stream(text),
    })
  }

  protected render({ rows, head, file }: ExportedTrail): void {
    if (file === undefined) return
    this.screen.facts([
      ['file', file],
      ['rows', String(rows)],
      ['head', `${head.seq} ${head.hash}`],
    ])
  }
}
