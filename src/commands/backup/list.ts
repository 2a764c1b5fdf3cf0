import { listBackups, type BackupList } from '../../lib/backup/list.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { stanzaFlag } from '../../lib/terminal/flags.js'
import { repositoryFlag } from '../../lib/terminal/repository.js'

export default class BackupListCommand extends BaseCommand<BackupList> {
  static override summary = 'list the backups on the backup machine'
  static override description = 'Oldest first, as pgBackRest has them in its repositories.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --repo 2',
    '<%= config.bin %> <%= command.id %> --stanza main --json',
  ]

  static override flags = {
    ...repositoryFlag({ description: 'those in this repository alone [default: all]' }),
    ...stanzaFlag,
  }

  protected async execute(): Promise<BackupList> {
    const { flags } = await this.parse(BackupListCommand)
    const { stanza, repo: repository } = flags
    const asked = { stanza, repository, environment: process.env }
    return listBackups(await this.workspace(flags), asked)
  }

  protected render({ backups }: BackupList): void {
    this.screen.table(backups, [
      { title: 'BACKUP', text: ({ label }) => label },
      { title: 'TYPE', text: ({ type }) => type },
      { title: 'FINISHED', text: ({ stoppedAt }) => this.screen.time(stoppedAt) },
      { title: 'ADDED', text: (each) => this.screen.size(each.repositoryBytes), align: 'right' },
      {
        title: 'DATABASE',
        text: (each) => this.screen.size(each.databaseBytes),
        align: 'right',
        isMinor: true,
      },
      {
        title: 'REPOSITORY',
        text: ({ repository }) => String(repository),
        align: 'right',
        isMinor: true,
      },
      {
        title: 'PAGES',
        text: ({ hasErrors }) =>
          hasErrors === null ? 'not checked' : hasErrors ? 'damaged' : 'ok',
        mark: ({ hasErrors }) => (hasErrors === false ? 'ok' : 'failure'),
      },
    ])
  }
}
