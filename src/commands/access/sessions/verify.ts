import { verifyLedger } from '../../../lib/access/sessions/ledger/verify.js'
import { BaseCommand } from '../../../lib/terminal/base-command.js'
import { drawTrailVerdict } from '../../../lib/terminal/trail-verdict.js'
import type { TrailVerdict } from '../../../lib/trail/chain.js'

export default class AccessSessionsVerify extends BaseCommand<TrailVerdict> {
  static override summary = 'check that nobody altered the ledger of who was in the databases'
  static override description =
    "Recomputes every row's hash outside the database and compares the chain with its noted end, and with every end that " +
    'the trail tells of. Exit code 0: sound. Exit code 8: problems were found. Any other: it could not be checked.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --json',
  ]

  protected async execute(): Promise<TrailVerdict> {
    const { flags } = await this.parse(AccessSessionsVerify)
    return verifyLedger(await this.workspace(flags))
  }

  protected render(verdict: TrailVerdict): void {
    drawTrailVerdict(this.screen, verdict)
  }
}
