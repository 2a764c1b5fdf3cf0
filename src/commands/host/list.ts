import { Flags } from '@oclif/core'
import { listHosts, type ListedHost } from '../../lib/host/list.js'
import { HOST_ROLES } from '../../lib/host/types.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'

export default class HostList extends BaseCommand<{ hosts: ListedHost[] }> {
  static override summary = 'list the machines of the database estate'
  static override description =
    'VERIFIED is when the recorded login was last seen to work. Who is primary says PostgreSQL alone.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --role database --json',
  ]

  static override flags = {
    role: Flags.option({ options: HOST_ROLES })({ description: 'only these hosts' }),
  }

  protected async execute(): Promise<{ hosts: ListedHost[] }> {
    const { flags } = await this.parse(HostList)
    return listHosts(await this.workspace(flags), { role: flags.role })
  }

  protected render({ hosts }: { hosts: ListedHost[] }): void {
    this.screen.table(hosts, [
      { title: 'HOST', text: ({ name }) => name },
      { title: 'ROLE', text: ({ role }) => role },
      { title: 'ADDRESS', text: ({ address }) => address },
      { title: 'PORT', text: ({ port }) => String(port), align: 'right' },
      { title: 'USER', text: ({ username }) => username },
      { title: 'LOCATION', text: ({ location }) => location ?? '-' },
      { title: 'VERIFIED', text: ({ verifiedAt }) => this.screen.time(verifiedAt) },
    ])
  }
}
