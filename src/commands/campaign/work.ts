import { Flags } from '@oclif/core'
import { workOnCampaigns, type WorkReport } from '../../lib/campaign/work.js'
import { operations } from '../../lib/operations/operations.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import {
  concurrencyFlag,
  DEFAULT_CONCURRENCY,
  OWN_CONNECTIONS,
} from '../../lib/terminal/campaign-flags.js'

export default class CampaignWork extends BaseCommand<WorkReport> {
  static override summary = 'work on the campaigns that are left to workers'
  static override description =
    'Runs until SIGTERM or SIGINT, then finishes what it began and ends with 143 or 130. Any number of these ' +
    'processes, on any machines, share the targets of campaigns that were made or resumed with --detach. When ' +
    'one is killed the others take its targets back. Ends with 7 when the database is lost; let systemd start ' +
    'it again. Each machine needs the keyring, and a role with the rights of cleverctl_staff.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> --concurrency 8',
    '<%= config.bin %> <%= command.id %> --until-idle --json',
  ]

  static override flags = {
    'until-idle': Flags.boolean({
      description: 'end when no campaign is left that workers could go on with',
    }),
    ...concurrencyFlag,
  }

  /** What was begun is finished after SIGINT and SIGTERM. */
  protected override readonly graceMs = 30_000

  protected async execute(): Promise<WorkReport> {
    const { flags } = await this.parse(CampaignWork)
    const { concurrency = DEFAULT_CONCURRENCY, 'until-idle': untilIdle } = flags
    // One connection to fetch jobs and one to do them, for each.
    const needs = { maxConnections: 2 * concurrency + OWN_CONNECTIONS, finishesStatements: true }
    const workspace = await this.changingWorkspace(flags, needs)
    return workOnCampaigns(workspace, operations(process.env), { concurrency, untilIdle })
  }

  protected render({ done, unchanged, failed }: WorkReport): void {
    this.screen.facts([
      ['done', String(done)],
      ['unchanged', String(unchanged)],
      ['failed', String(failed)],
    ])
  }
}
