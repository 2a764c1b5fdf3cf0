import {
  checkRepositories,
  type CheckedRepositories,
} from '../../../lib/backup/check-repositories.js'
import { BaseCommand } from '../../../lib/terminal/base-command.js'
import { stanzaFlag } from '../../../lib/terminal/flags.js'
import { repositoryNumber } from '../../../lib/terminal/repository.js'

export default class BackupRepoCheckCommand extends BaseCommand<CheckedRepositories> {
  static override summary = 'see whether every machine comes to every repository of pgBackRest'
  static override description =
    'Asks pgBackRest on the backup machine and on each database host for each repository: whether it is configured there ' +
    'and can be read, has the stanza and a backup, and holds the WAL that the primary has archived. A database host that ' +
    'does not know a repository sends it no WAL. Nothing is changed. Exit codes: 0 all is well; 8 something is wrong; ' +
    '5 no machine knows the repository; 6 backups are made by pg_basebackup; 7 a machine was out of reach; 1 something could not be looked at.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> 2 --json',
  ]

  static override args = {
    number: repositoryNumber({
      description: 'number of the repository, as in repo2-path; all without any',
      required: false,
    }),
  }

  static override flags = { ...stanzaFlag }

  protected async execute(): Promise<CheckedRepositories> {
    const { args, flags } = await this.parse(BackupRepoCheckCommand)
    const asked = { stanza: flags.stanza, repository: args.number, environment: process.env }
    return checkRepositories(await this.workspace(flags), asked)
  }

  protected render({ repositories, faults, notChecked }: CheckedRepositories): void {
    this.screen.table(repositories, [
      { title: 'REPOSITORY', text: ({ number }) => String(number), align: 'right' },
      { title: 'SOUND FROM', text: ({ soundFrom }) => soundFrom.join(' ') },
      { title: 'BACKUPS', text: ({ backups }) => String(backups), align: 'right' },
      {
        title: 'LAST BACKUP',
        text: ({ lastBackup }) => (lastBackup ? this.screen.time(lastBackup.stoppedAt) : ''),
      },
      { title: 'LAST WAL', text: ({ lastWal }) => lastWal ?? '' },
    ])
    for (const { repository, host, code, message, fix } of faults) {
      this.screen.mark('failure', `repository ${repository} from ${host}: ${message}`, code)
      this.screen.detail(fix)
    }
    for (const { what, reason } of notChecked)
      this.screen.mark('failure', `not checked: ${reason}`, what)
  }
}
