import { Flags } from '@oclif/core'
import { listRefusals } from '../../lib/gate/list-refusals.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { durationFlag } from '../../lib/terminal/flags.js'

type Refusals = Awaited<ReturnType<typeof listRefusals>>

export default class GateRefusals extends BaseCommand<Refusals> {
  static override summary = 'list the arrivals that the gates refused, and why'
  static override description =
    'Counts are kept by the hour for 30 days and reach this list within a second. The sender was told ' +
    'a class and the request id, never the code.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> --since 1h',
    '<%= config.bin %> <%= command.id %> --since 7d --by installation',
  ]

  static override flags = {
    since: durationFlag({ description: 'how far back [default: 24h]' }),
    by: Flags.option({
      description: 'sum the counts up by this, for each code',
      options: ['code', 'installation', 'device'] as const,
    })(),
    limit: Flags.integer({ description: 'rows at most', default: 100, min: 1, max: 10_000 }),
  }

  protected async execute(): Promise<Refusals> {
    const { flags } = await this.parse(GateRefusals)
    const { since: sinceMs, by, limit } = flags
    return listRefusals(await this.workspace(flags), { sinceMs, by, limit })
  }

  protected render({ since, refusals }: Refusals): void {
    this.screen.table(
      refusals,
      [
        { title: 'CODE', text: ({ code }) => code },
        { title: 'REQ', text: ({ requirement }) => String(requirement), align: 'right' },
        { title: 'COUNT', text: ({ count }) => String(count), align: 'right' },
        { title: 'LAST', text: ({ lastAt }) => this.screen.time(lastAt) },
        { title: 'INSTALLATION', text: ({ installation }) => installation ?? '-' },
        { title: 'DEVICE', text: ({ serial }) => serial ?? '-' },
        { title: 'KEY ID', text: ({ keyId }) => keyId ?? '-', isMinor: true },
        { title: 'FROM', text: ({ lastAddress }) => lastAddress ?? '-', isMinor: true },
        { title: 'REQUEST', text: ({ lastRequestId }) => lastRequestId, isMinor: true },
        { title: 'MEANING', text: ({ meaning }) => meaning },
      ],
      `nothing was refused since ${this.screen.time(since)}`,
    )
  }
}
