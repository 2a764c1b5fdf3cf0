import { Flags } from '@oclif/core'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { drawTrailVerdict } from '../../lib/terminal/trail-verdict.js'
import type { TrailVerdict } from '../../lib/trail/chain.js'
import { verifyTrailFile } from '../../lib/trail/verify-file.js'
import { verifyTrail } from '../../lib/trail/verify.js'

export default class TrailVerify extends BaseCommand<TrailVerdict> {
  static override summary =
    'check that nobody altered, removed, inserted or moved a row of the trail'
  static override description =
    "Recomputes every row's hash outside the database and compares the chain with its noted end. " +
    'Somebody who owns the tables could still rewrite all rows from one on together with that end: ' +
    'compare the head shown here with one that was noted before, or verify an exported file. ' +
    'Exit code 0: sound. Exit code 8: problems were found. Any other: it could not be checked.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --file trail.ndjson',
  ]

  static override flags = {
    file: Flags.string({
      description: 'check this exported trail instead, without any database',
      helpValue: 'FILE',
    }),
  }

  protected async execute(): Promise<TrailVerdict> {
    const { flags } = await this.parse(TrailVerify)
    return flags.file === undefined
      ? verifyTrail(await this.workspace(flags))
      : verifyTrailFile(flags.file, this.signal)
  }

  protected render(verdict: TrailVerdict): void {
    drawTrailVerdict(this.screen, verdict)
  }
}
