import { getHost, type ListedHost } from '../../lib/host/list.js'
import { hostArg } from '../../lib/terminal/arguments.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { hostFacts } from '../../lib/terminal/host.js'

export default class HostShow extends BaseCommand<ListedHost> {
  static override summary = 'show what is recorded of a machine of the database estate'
  static override description =
    'Never shows the private key; its public one is named by its fingerprint.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> db1',
    '<%= config.bin %> <%= command.id %> bak1 --json',
  ]

  static override args = hostArg

  protected async execute(): Promise<ListedHost> {
    const { args, flags } = await this.parse(HostShow)
    return getHost(await this.workspace(flags), { name: args.name })
  }

  protected render(host: ListedHost): void {
    this.screen.facts([
      ...hostFacts(host),
      ['added', this.screen.time(host.addedAt)],
      ['verified', this.screen.time(host.verifiedAt)],
    ])
  }
}
