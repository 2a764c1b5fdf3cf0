import { pruneQuestion } from '../../lib/retention/asked.js'
import { pruneSnapshots, type PrunedSnapshots } from '../../lib/snapshot/prune.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { retentionFlags, stanzaFlag, yesFlag } from '../../lib/terminal/flags.js'
import { drawPruned } from '../../lib/terminal/prune.js'

export default class SnapshotPrune extends BaseCommand<PrunedSnapshots> {
  static override summary = 'delete the snapshots that are old and of which more than enough remain'
  static override description =
    'Without --yes it says what would go, and deletes nothing. The first whole set of each hour, day, week, month and ' +
    'year stands for it, counted from the newest. The last whole set and the last one that a drill has proven never ' +
    'go. Exit codes: 0 done; 3 some host did not delete its snapshot, which the same command tries again; 6 somebody ' +
    'else makes or deletes snapshots.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> --keep-daily 7 --keep-weekly 4',
    '<%= config.bin %> <%= command.id %> --keep-hourly 48 --time-zone Europe/Berlin --yes',
  ]

  static override flags = {
    ...retentionFlags({ hourly: 24, daily: 7, weekly: 4, monthly: 0, yearly: 0 }),
    ...stanzaFlag,
    ...yesFlag,
  }

  protected async execute(): Promise<PrunedSnapshots> {
    const { flags } = await this.parse(SnapshotPrune)
    const workspace = await this.workspaceFor(flags, flags.yes)
    return pruneSnapshots(workspace, pruneQuestion(flags, process.env))
  }

  protected render({ sets, dryRun }: PrunedSnapshots): void {
    drawPruned(
      this.screen,
      sets,
      [
        { title: 'SET', text: ({ set }) => set },
        { title: 'STATE', text: ({ state }) => state },
      ],
      { isDryRun: dryRun, command: 'cleverctl snapshot prune --yes' },
    )
    for (const { failures } of sets)
      for (const { host, reason } of failures) this.screen.mark('failure', reason, host)
  }
}
