import { Flags } from '@oclif/core'
import { drillBackup, type BackupDrill } from '../../lib/backup/drill.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { drawChecks } from '../../lib/terminal/drill.js'
import { stanzaFlag, timeFlag } from '../../lib/terminal/flags.js'
import { repositoryFlag } from '../../lib/terminal/repository.js'

export default class BackupDrillCommand extends BaseCommand<BackupDrill> {
  static override summary =
    'prove a backup: restore it, start a server from it, look at what it holds'
  static override description =
    'On the backup machine, in a directory of its own that is thrown away afterwards. The server has no network and ' +
    'archives nothing. Checks: recovery comes to its end and to the end of the archive; every table holds what was ' +
    'counted when the backup was made; pg_amcheck and page checksums find nothing. The signed result goes into the ' +
    'trail. Exit codes: 0 proven; 8 a check failed; 7 the backup machine is out of reach; 1 a check could not be ' +
    'carried out; 5 no such backup; 6 a drill is under way.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> --latest',
    '<%= config.bin %> <%= command.id %> --label 20261125-231415F --json',
    '<%= config.bin %> <%= command.id %> --repo 2',
    '<%= config.bin %> <%= command.id %> --time 2026-11-25T12:00:00Z --directory /srv/scratch',
  ]

  static override flags = {
    latest: Flags.boolean({
      description: 'the last backup, recovered to the end of the archive; the default',
      exclusive: ['label', 'time'],
    }),
    label: Flags.string({
      description: 'this backup, recovered to the moment at which its rows were counted',
      helpValue: 'LABEL',
      exclusive: ['time'],
    }),
    time: timeFlag({ description: 'recover to this time, from the last backup before it' }),
    directory: Flags.string({
      description: 'where there is room for the data, on the backup machine',
      default: '/var/tmp',
      helpValue: 'DIR',
    }),
    ...repositoryFlag({ description: 'restore from this repository [default: any]' }),
    ...stanzaFlag,
  }

  protected async execute(): Promise<BackupDrill> {
    const { flags } = await this.parse(BackupDrillCommand)
    const { label, time, directory, stanza, repo: repository } = flags
    const asked = { label, time, directory, stanza, repository, environment: process.env }
    return drillBackup(await this.changingWorkspace(flags), asked)
  }

  protected render(drill: BackupDrill): void {
    const seconds = (value: number | null) => (value === null ? '-' : `${value.toFixed(1)} s`)
    this.screen.facts([
      ['backup', drill.label],
      ['recovered until', this.screen.time(drill.recoveredUntil)],
      ['data lost (RPO)', seconds(drill.rpoSeconds)],
      ['until usable (RTO)', seconds(drill.rtoSeconds)],
    ])
    drawChecks(this.screen, drill.checks)
  }
}
