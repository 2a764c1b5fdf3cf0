import { abortCampaign } from '../../lib/campaign/change.js'
import type { CampaignReport } from '../../lib/campaign/types.js'
import { operations } from '../../lib/operations/operations.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { campaignArg, reasonFlag } from '../../lib/terminal/campaign-flags.js'
import { drawCampaign } from '../../lib/terminal/campaign-report.js'
import { yesFlag } from '../../lib/terminal/flags.js'

export default class CampaignAbort extends BaseCommand<CampaignReport> {
  static override summary = 'end a campaign: what was not started is skipped for good'
  static override description =
    'Takes effect at once, whoever runs the campaign and wherever. Targets that run are finished, what was ' +
    'done stays done, and the targets that are skipped are free for another campaign.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> 7',
    '<%= config.bin %> <%= command.id %> 7 --reason "wrong grace" --yes',
  ]

  static override args = campaignArg
  static override flags = { ...reasonFlag, ...yesFlag }

  protected async execute(): Promise<CampaignReport> {
    const { args, flags } = await this.parse(CampaignAbort)
    await this.confirm(flags, `Skip for good what campaign ${args.campaign} has not started?`)
    const asked = { id: args.campaign, reason: flags.reason }
    return abortCampaign(await this.changingWorkspace(flags), operations(process.env), asked)
  }

  protected render(report: CampaignReport): void {
    drawCampaign(this.screen, report)
  }
}
