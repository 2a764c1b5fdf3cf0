import { Flags } from '@oclif/core'
import { BACKUP_TYPES } from '../../lib/backup/info.js'
import { runBackup, type BackupRun } from '../../lib/backup/run.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { pingFlag, stanzaFlag } from '../../lib/terminal/flags.js'
import { repositoryFlag } from '../../lib/terminal/repository.js'

export default class BackupRunCommand extends BaseCommand<BackupRun> {
  static override summary = 'make a backup on the backup machine'
  static override description =
    'Starts pgBackRest there, or pg_basebackup where the machine is recorded so, and looks afterwards at what its exit code does not say: pages with wrong checksums, ' +
    'and the state of the repository. Then the rows of every table are counted on a standby, for `backup drill`. ' +
    'The primary is found anew each time. What was interrupted is begun ' +
    'again by the same command. Exit codes: 0 made; 6 one is being made already; 7 the backup machine is out of ' +
    'reach, or the connection was lost: `backup list` says what came of it; 8 made, but the data or the repository ' +
    'are damaged; 1 not made.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --type full --from standby --json',
    '<%= config.bin %> <%= command.id %> --repo 2 --type full',
    '<%= config.bin %> <%= command.id %> --type incr --ping-url https://hc.example.com/backup',
  ]

  static override flags = {
    type: Flags.option({ options: BACKUP_TYPES })({
      description:
        'what to make [default: incr, and full where there is none yet; pg_basebackup makes full ones alone]',
    }),
    from: Flags.option({ options: ['standby', 'primary'] as const })({
      description: "where to copy from [default: as pgBackRest's configuration says]",
    }),
    ...repositoryFlag({ description: 'number of the repository [default: the smallest one]' }),
    count: Flags.boolean({
      description: 'count and digest the rows for the drill; reads every table on a standby',
      default: true,
      allowNo: true,
    }),
    ...stanzaFlag,
    ...pingFlag,
  }

  protected async execute(): Promise<BackupRun> {
    const { flags } = await this.parse(BackupRunCommand)
    const { type, from, repo, stanza, 'ping-url': pingUrl, count: isCounting } = flags
    const question = { type, from, repository: repo, stanza, pingUrl, isCounting }
    const asked = { ...question, environment: process.env }
    return runBackup(await this.changingWorkspace(flags), asked)
  }

  protected render(run: BackupRun): void {
    this.screen.facts([
      ['backup', run.label],
      ['type', run.type],
      ['from', run.from],
      [`added to repository ${run.repository}`, this.screen.size(run.bytes)],
      ['database', this.screen.size(run.databaseBytes)],
      ['rows counted', run.counted ? `${run.counted.rows}, on ${run.counted.host}` : '-'],
      ['took', `${(run.durationMs / 1000).toFixed(1)} s`],
    ])
  }
}
