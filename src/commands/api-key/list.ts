import { listApiKeys } from '../../lib/api-key/list.js'
import { installationArg } from '../../lib/terminal/arguments.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'

type ApiKeys = Awaited<ReturnType<typeof listApiKeys>>

export default class ApiKeyList extends BaseCommand<ApiKeys> {
  static override summary = 'list the API keys of an installation'
  static override description =
    'CURRENT and GRACE open the gate. RETIRED: its grace after a rotation is over. EXPIRED and ' +
    'REVOKED say why a key opens it no more. Use is written down a few seconds late.'

  static override examples = ['<%= config.bin %> <%= command.id %> solar-0042']

  static override args = installationArg

  protected async execute(): Promise<ApiKeys> {
    const { args, flags } = await this.parse(ApiKeyList)
    return listApiKeys(await this.workspace(flags), { installation: args.installation })
  }

  protected render({ installation, apiKeys }: ApiKeys): void {
    this.screen.table(
      apiKeys,
      [
        { title: 'VERSION', text: ({ version }) => String(version), align: 'right' },
        { title: 'KEY ID', text: ({ keyId }) => keyId },
        { title: 'STATE', text: ({ state }) => state },
        { title: 'CREATED', text: ({ createdAt }) => this.screen.time(createdAt), isMinor: true },
        { title: 'EXPIRES', text: ({ expiresAt }) => this.screen.time(expiresAt) },
        { title: 'GRACE UNTIL', text: ({ graceUntil }) => this.screen.time(graceUntil) },
        { title: 'LAST USED', text: ({ lastUsedAt }) => this.screen.time(lastUsedAt) },
        { title: 'FROM', text: ({ lastUsedAddress }) => lastUsedAddress ?? '-', isMinor: true },
        { title: 'USES', text: ({ useCount }) => String(useCount), align: 'right', isMinor: true },
      ],
      `installation ${installation} has no API key`,
    )
  }
}
