import { pauseCampaign } from '../../lib/campaign/change.js'
import type { CampaignReport } from '../../lib/campaign/types.js'
import { operations } from '../../lib/operations/operations.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { campaignArg, reasonFlag } from '../../lib/terminal/campaign-flags.js'
import { drawCampaign } from '../../lib/terminal/campaign-report.js'

export default class CampaignPause extends BaseCommand<CampaignReport> {
  static override summary = 'start no more targets of a campaign until it is resumed'
  static override description =
    'Takes effect at once, whoever runs the campaign and wherever. Targets that run are finished; the command ' +
    'that ran it ends with 6, and given again does not go on until `campaign resume`. A campaign that does not ' +
    'run stays as it is.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> 7',
    '<%= config.bin %> <%= command.id %> 7 --reason "storm over Almeria"',
  ]

  static override args = campaignArg
  static override flags = reasonFlag

  protected async execute(): Promise<CampaignReport> {
    const { args, flags } = await this.parse(CampaignPause)
    const asked = { id: args.campaign, reason: flags.reason }
    return pauseCampaign(await this.changingWorkspace(flags), operations(process.env), asked)
  }

  protected render(report: CampaignReport): void {
    drawCampaign(this.screen, report)
  }
}
