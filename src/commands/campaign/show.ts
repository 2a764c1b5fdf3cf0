import { reportCampaign } from '../../lib/campaign/report.js'
import type { CampaignReport } from '../../lib/campaign/types.js'
import { operations } from '../../lib/operations/operations.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { campaignArg } from '../../lib/terminal/campaign-flags.js'
import { drawCampaign } from '../../lib/terminal/campaign-report.js'

export default class CampaignShow extends BaseCommand<CampaignReport> {
  static override summary = 'show how far a campaign has come, what failed and what it waits for'
  static override description =
    'Each wave with its targets by state; targets that failed with the next step, a hundred of them at most; ' +
    'and what the campaign waits for: a window, the pause between waves, a person, or somebody to run it.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> 7',
    '<%= config.bin %> <%= command.id %> 7 --json',
  ]

  static override args = campaignArg

  protected async execute(): Promise<CampaignReport> {
    const { args, flags } = await this.parse(CampaignShow)
    return reportCampaign(await this.workspace(flags), operations(process.env), args.campaign)
  }

  protected render(report: CampaignReport): void {
    drawCampaign(this.screen, report)
  }
}
