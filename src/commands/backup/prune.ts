import { pruneBackups, type PrunedBackups } from '../../lib/backup/prune.js'
import { pruneQuestion } from '../../lib/retention/asked.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { retentionFlags, stanzaFlag, yesFlag } from '../../lib/terminal/flags.js'
import { drawPruned } from '../../lib/terminal/prune.js'

export default class BackupPrune extends BaseCommand<PrunedBackups> {
  static override summary = 'let the backups go that are old and of which more than enough remain'
  static override description =
    'Without --yes it says what would go, and deletes nothing. The first whole backup of each hour, day, week, month ' +
    'and year stands for it, counted from the newest. The last whole backup, the last that a drill has proven and what ' +
    'they are built on never go. Exit codes: 0 done; 6 a backup is being made; 7 the backup machine is out of reach; ' +
    '1 pgBackRest did not expire one.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> --keep-daily 7 --keep-weekly 4',
    '<%= config.bin %> <%= command.id %> --keep-daily 14 --keep-monthly 12 --time-zone Europe/Berlin --yes',
  ]

  static override flags = {
    ...retentionFlags({ hourly: 0, daily: 7, weekly: 4, monthly: 3, yearly: 0 }),
    ...stanzaFlag,
    ...yesFlag,
  }

  protected async execute(): Promise<PrunedBackups> {
    const { flags } = await this.parse(BackupPrune)
    const workspace = await this.workspaceFor(flags, flags.yes)
    return pruneBackups(workspace, pruneQuestion(flags, process.env))
  }

  protected render({ backups, dryRun }: PrunedBackups): void {
    drawPruned(
      this.screen,
      backups,
      [
        { title: 'BACKUP', text: ({ label }) => label },
        {
          title: 'FINISHED',
          text: ({ stoppedAt }) => this.screen.time(stoppedAt),
          isMinor: true,
        },
        {
          title: 'ADDED',
          text: ({ bytes }) => this.screen.size(bytes),
          align: 'right',
          isMinor: true,
        },
      ],
      { isDryRun: dryRun, command: 'cleverctl backup prune --yes' },
    )
  }
}
