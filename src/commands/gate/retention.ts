import { Flags } from '@oclif/core'
import { retainReadings } from '../../lib/gate/retention/retain.js'
import type { RetainedMonth, Retention } from '../../lib/gate/retention/types.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { monthsFlag } from '../../lib/terminal/flags.js'

export default class GateRetention extends BaseCommand<Retention> {
  static override summary = 'show the months of readings and take the old ones out'
  static override description =
    'Shows what is stored and, with --keep, what would go; --yes does it. A month goes as a whole: it is ' +
    'detached and stays as a table of its own, or is dropped with --drop. Gates go on meanwhile. Interrupted, ' +
    'it is finished by the same command. The present month and the 14 before it stay in any case, because ' +
    'gates take in readings that are up to 400 days old; they refuse older ones as malformed (400). Only the ' +
    "owner of the database may use --yes. Row counts are PostgreSQL's estimates."

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --keep 24mo',
    '<%= config.bin %> <%= command.id %> --keep 24mo --yes --no-input',
    '<%= config.bin %> <%= command.id %> --keep 3y --drop --yes',
  ]

  static override flags = {
    keep: monthsFlag({ description: 'whole months to keep beside the present one' }),
    drop: Flags.boolean({
      description:
        'drop the months that go, and those detached before; their readings are gone for good',
      dependsOn: ['keep'],
    }),
    yes: Flags.boolean({
      description: 'do it; without this only the plan is shown',
      dependsOn: ['keep'],
    }),
  }

  protected async execute(): Promise<Retention> {
    const { flags } = await this.parse(GateRetention)
    const { keep: keepMonths, drop, yes: apply } = flags
    const workspace = await this.workspaceFor(flags, apply)
    return retainReadings(workspace, { keepMonths, drop, apply })
  }

  protected render({ months, ahead, applied }: Retention): void {
    this.screen.table(
      months,
      [
        { title: 'MONTH', text: ({ month }) => month },
        { title: 'STATE', text: ({ state }) => state },
        { title: 'ROWS', text: ({ rows }) => (rows === null ? '-' : String(rows)), align: 'right' },
        { title: 'SIZE', text: ({ bytes }) => this.screen.size(bytes), align: 'right' },
        { title: 'WHAT', text: whatOf },
        { title: 'TABLE', text: ({ table }) => table, isMinor: true },
      ],
      'no readings yet',
    )
    for (const { month, outcome } of ahead)
      this.screen.mark(outcome === 'missing' ? 'warning' : 'ok', outcome, `room for ${month}`)
    const goes = months.some(({ outcome }) => outcome === 'planned')
    if (goes && !applied) this.screen.step('the same command with --yes')
  }
}

function whatOf({ action, outcome }: RetainedMonth): string {
  return outcome === 'planned' ? `to ${action}` : outcome
}
