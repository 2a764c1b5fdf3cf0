import { Flags } from '@oclif/core'
import { carryOn } from '../../lib/campaign/carry-out.js'
import type { CampaignReport } from '../../lib/campaign/types.js'
import { operations } from '../../lib/operations/operations.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import {
  campaignArg,
  concurrencyFlag,
  DEFAULT_CONCURRENCY,
  detachFlag,
  OWN_CONNECTIONS,
} from '../../lib/terminal/campaign-flags.js'
import { drawCampaign } from '../../lib/terminal/campaign-report.js'

export default class CampaignResume extends BaseCommand<CampaignReport> {
  static override summary = 'go on with a campaign that was paused, stopped or interrupted'
  static override description =
    'Runs it in this process until it is done. What is done stays done; stop rules count anew. A campaign that ' +
    'another process runs is run by both. Exit codes: 3 some failed, or a rule stopped it; 6 it was aborted, or ' +
    'paused meanwhile.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> 7',
    '<%= config.bin %> <%= command.id %> 7 --retry-failed --concurrency 2',
  ]

  static override args = campaignArg

  static override flags = {
    'retry-failed': Flags.boolean({
      description: 'try the targets that failed once more, also when the campaign is done',
    }),
    ...detachFlag,
    ...concurrencyFlag,
  }

  /** What was begun is finished after SIGINT and SIGTERM. */
  protected override readonly graceMs = 30_000

  protected async execute(): Promise<CampaignReport> {
    const { args, flags } = await this.parse(CampaignResume)
    const { detach: isDetached, concurrency = DEFAULT_CONCURRENCY } = flags
    const needs = { maxConnections: concurrency + OWN_CONNECTIONS, finishesStatements: true }
    return carryOn(await this.changingWorkspace(flags, needs), operations(process.env), {
      id: args.campaign,
      isDetached,
      retriesFailed: flags['retry-failed'],
      concurrency,
    })
  }

  protected render(report: CampaignReport): void {
    drawCampaign(this.screen, report)
  }
}
