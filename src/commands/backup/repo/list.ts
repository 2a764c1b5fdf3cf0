import { listRepositories, type RepositoryList } from '../../../lib/backup/repository/list.js'
import { BaseCommand } from '../../../lib/terminal/base-command.js'
import { stanzaFlag } from '../../../lib/terminal/flags.js'
import { placeOf } from '../../../lib/terminal/repository.js'

export default class BackupRepoList extends BaseCommand<RepositoryList> {
  static override summary = 'list the repositories that were added by `backup repo add`'
  static override description =
    'As they are recorded; no machine is asked. Any state but ACTIVE was interrupted, or is under way: give the same ' +
    'command again. What every machine sees of them, and of those in pgbackrest.conf itself, says `backup repo check`.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --stanza main --json',
  ]

  static override flags = { ...stanzaFlag }

  protected async execute(): Promise<RepositoryList> {
    const { flags } = await this.parse(BackupRepoList)
    return listRepositories(await this.workspace(flags), { stanza: flags.stanza })
  }

  protected render({ repositories }: RepositoryList): void {
    this.screen.table(repositories, [
      { title: 'REPOSITORY', text: ({ number }) => String(number), align: 'right' },
      { title: 'STANZA', text: ({ stanza }) => stanza },
      { title: 'PLACE', text: placeOf },
      {
        title: 'STATE',
        text: ({ state }) => state,
        mark: ({ state }) => (state === 'ACTIVE' ? 'ok' : 'warning'),
      },
      { title: 'ADDED', text: ({ addedAt }) => this.screen.time(addedAt) },
    ])
  }
}
