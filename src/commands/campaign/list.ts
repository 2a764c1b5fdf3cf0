import { listCampaigns, type CampaignPage } from '../../lib/campaign/list.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { markOfState } from '../../lib/terminal/campaign-report.js'
import { pageFlags } from '../../lib/terminal/flags.js'

export default class CampaignList extends BaseCommand<CampaignPage> {
  static override summary = 'list campaigns, the newest first'
  static override description =
    'A campaign is one operation carried out over many targets, such as a rotation of the API keys of all ' +
    'installations. LEFT counts the targets that wait or run.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --limit 10 --json',
  ]

  static override flags = { ...pageFlags }

  protected async execute(): Promise<CampaignPage> {
    const { flags } = await this.parse(CampaignList)
    const { limit, cursor } = flags
    return listCampaigns(await this.workspace(flags), { limit, cursor })
  }

  protected render({ campaigns, nextCursor }: CampaignPage): void {
    this.screen.table(
      campaigns,
      [
        { title: 'ID', text: ({ id }) => id, align: 'right' },
        { title: 'OPERATION', text: ({ operation }) => operation },
        { title: 'STATE', text: ({ state }) => state, mark: ({ state }) => markOfState(state) },
        { title: 'SINCE', text: ({ stateSince }) => this.screen.time(stateSince) },
        { title: 'TARGETS', text: ({ targets }) => String(targets), align: 'right' },
        { title: 'LEFT', text: ({ left }) => String(left), align: 'right' },
        { title: 'FAILED', text: ({ failed }) => String(failed), align: 'right' },
        { title: 'MADE', text: ({ createdAt }) => this.screen.time(createdAt), isMinor: true },
        { title: 'BY', text: ({ createdBy }) => createdBy, isMinor: true },
      ],
      'there is no campaign',
    )
    if (nextCursor !== undefined && this.screen.isTerminal)
      this.screen.line(`more: --cursor ${nextCursor}`)
  }
}
