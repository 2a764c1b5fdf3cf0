import { verifyBackups, type BackupVerification } from '../../lib/backup/verify.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { stanzaFlag } from '../../lib/terminal/flags.js'
import { repositoryFlag } from '../../lib/terminal/repository.js'

export default class BackupVerifyCommand extends BaseCommand<BackupVerification> {
  static override summary = 'read every backup and the whole archive again, and look for gaps'
  static override description =
    "pgBackRest's verify reads every file, but ends with 0 whatever it finds and does not see that a segment of WAL is " +
    'missing. This reads what it says, or lets pg_verifybackup read what pg_basebackup made, and walks the WAL of every timeline from the oldest backup to what the primary ' +
    'has archived. Exit codes: 0 sound; 8 damaged, or a gap; 7 a machine was out of reach; 1 something could not be ' +
    'looked at.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --repo 2',
    '<%= config.bin %> <%= command.id %> --stanza main --json',
  ]

  static override flags = {
    ...repositoryFlag({ description: 'read this repository alone [default: all]' }),
    ...stanzaFlag,
  }

  protected async execute(): Promise<BackupVerification> {
    const { flags } = await this.parse(BackupVerifyCommand)
    const { stanza, repo: repository } = flags
    const asked = { stanza, repository, environment: process.env }
    return verifyBackups(await this.workspace(flags), asked)
  }

  protected render(verification: BackupVerification): void {
    this.screen.facts([
      ['backups', String(verification.backups)],
      ['segments of WAL', String(verification.walSegments)],
      ['repositories', String(verification.repositories)],
    ])
    for (const { code, message, repository } of verification.faults)
      this.screen.mark('failure', `repository ${repository}: ${message}`, code)
    for (const { what, reason } of verification.notChecked)
      this.screen.mark('failure', `not checked: ${reason}`, what)
    if (verification.faults.length + verification.notChecked.length === 0)
      this.screen.mark('ok', 'every file is what was written, and no WAL is missing')
  }
}
