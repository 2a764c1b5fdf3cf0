import { databaseStatus, type DatabaseStatus } from '../../lib/database/status.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'

export default class DatabaseStatusShow extends BaseCommand<DatabaseStatus> {
  static override summary = 'show which database is in use and how it is'
  static override description =
    'Changes nothing: an embedded database that does not run is not started.\n\n' +
    'The embedded database is for evaluation and single sites. Production, with standbys and backups, ' +
    'needs a PostgreSQL server: --database-url, CLEVERCTL_DATABASE_URL or a profile.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --profile production --json',
  ]

  protected async execute(): Promise<DatabaseStatus> {
    const { flags } = await this.parse(DatabaseStatusShow)
    const settings = await this.settings(flags)
    return databaseStatus(settings, { log: this.notices(flags), signal: this.signal })
  }

  protected render(status: DatabaseStatus): void {
    const { mode, description, profile, source, state, version, sizeBytes, migrations, embedded } =
      status
    this.screen.facts([
      ['mode', mode],
      ['database', description],
      ['profile', profile],
      ['chosen by', source],
      ['state', state],
      ['version', version ?? '-'],
      ['size', sizeBytes === undefined ? '-' : this.screen.size(sizeBytes)],
      ['migrations applied', migrations ? String(migrations.applied.length) : '-'],
      ['migrations pending', migrations?.pending.join(', ') || '-'],
      ...(embedded
        ? ([
            ['data directory', embedded.dataDirectory],
            ['log', embedded.logFile],
            ['programs', `${embedded.programs.folder} (${embedded.programs.origin})`],
            ['process', embedded.processId === undefined ? '-' : String(embedded.processId)],
            ['made for', embedded.purpose],
          ] as const)
        : []),
    ])
  }
}
