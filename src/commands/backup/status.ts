import { Flags } from '@oclif/core'
import type { BackupStatus } from '../../lib/backup/judge-backups.js'
import { backupStatus } from '../../lib/backup/status.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { durationFlag, pingFlag, stanzaFlag } from '../../lib/terminal/flags.js'
import { lastBackupFacts, repositoryFlag } from '../../lib/terminal/repository.js'

export default class BackupStatusCommand extends BaseCommand<BackupStatus> {
  static override summary = 'say whether there is a fresh, sound backup in every repository'
  static override description =
    'For monitors: exit code 0 it is fresh in each repository; 8 it is too old, damaged or not there in one of them; ' +
    '7 the backup machine is out of reach; 1 pgBackRest could not be asked. The ping URL is told of success or failure, with /fail behind it.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> --max-age 6h',
    '<%= config.bin %> <%= command.id %> --max-age 6h --prometheus /var/lib/node_exporter/backup.prom --ping-url https://hc.example.com/backup',
  ]

  static override flags = {
    'max-age': durationFlag({
      description: 'how old the last backup may be [default: 24h]',
      helpValue: '6h|24h',
    }),
    prometheus: Flags.string({
      description: 'write metrics to this file as well; replaced as a whole if there',
      helpValue: 'FILE',
    }),
    ...repositoryFlag({ description: 'look at this repository alone [default: all]' }),
    ...stanzaFlag,
    ...pingFlag,
  }

  protected async execute(): Promise<BackupStatus> {
    const { flags } = await this.parse(BackupStatusCommand)
    const { 'max-age': maxAgeMs = 86_400_000, stanza, prometheus, 'ping-url': pingUrl } = flags
    return backupStatus(await this.workspace(flags), {
      stanza,
      repository: flags.repo,
      maxAgeMs,
      pingUrl,
      prometheusFile: prometheus,
      environment: process.env,
    })
  }

  protected render({ repositories, isBackingUp, problems }: BackupStatus): void {
    this.screen.facts([
      ...lastBackupFacts(this.screen, repositories),
      ['one is being made', isBackingUp ? 'yes' : 'no'],
    ])
    for (const { code, message } of problems) this.screen.mark('failure', message, code)
    if (problems.length === 0) this.screen.mark('ok', 'fresh, and no page of it is damaged')
  }
}
