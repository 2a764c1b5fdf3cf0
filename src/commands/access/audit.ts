import { Flags } from '@oclif/core'
import { auditAccess } from '../../lib/access/audit/audit.js'
import { SEVERITIES, type AccessAudit } from '../../lib/access/audit/types.js'
import { drawAccessAudit } from '../../lib/terminal/access-audit.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { sarifFile, sarifFlag } from '../../lib/terminal/sarif.js'
import { serverFlags, serversOf } from '../../lib/terminal/server-flags.js'

export default class AccessAuditCommand extends BaseCommand<AccessAudit> {
  static override summary = 'measure database servers against the list of those who may reach them'
  static override description =
    'Looks at roles, memberships, pg_hba.conf, settings and sessions of each server, read-only, and says of each ' +
    'finding who it is, what mends it and what takes that back. Who is let in is found out by the rules of ' +
    'pg_hba.conf as PostgreSQL reads them: the first that matches decides. Hosts are ' +
    'reached over SSH, as psql there would. Without a server the one of the cleverctl database itself. The rules of ' +
    'standbys differ, so name each server. Exit codes: 0 nothing as bad as ' +
    '--fail-on was found; 8 findings; 7 none, but a server was out of reach; 1 none, but something could not be ' +
    'checked for another reason.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> --all-hosts',
    '<%= config.bin %> <%= command.id %> --dsn postgres://auditor@db1.example.com/postgres --dsn postgres://auditor@db2.example.com/postgres --json',
    '<%= config.bin %> <%= command.id %> --fail-on critical --sarif access.sarif --junit access.xml',
    '<%= config.bin %> <%= command.id %> --dsn postgres://auditor@db1.example.com/postgres --probe',
  ]

  static override flags = {
    ...serverFlags('a server'),
    'fail-on': Flags.option({ options: SEVERITIES })({
      description: 'the mildest severity that makes the exit code 8',
      default: 'medium',
    }),
    probe: Flags.boolean({
      description:
        'try connections from this machine as well: as every role that can log in and as a stranger, to every database ' +
        'and for replication, with and without TLS; no password is sent',
    }),
    ...sarifFlag,
    junit: Flags.string({
      description: 'write a test case for each rule at each server to this file; replaced if there',
      helpValue: 'FILE',
    }),
  }

  protected async execute(): Promise<AccessAudit> {
    const { flags } = await this.parse(AccessAuditCommand)
    const { 'fail-on': failOn } = flags
    return auditAccess(await this.workspace(flags), {
      servers: serversOf(flags),
      environment: process.env,
      failOn: failOn ?? 'medium',
      isProbing: flags.probe,
      sarif: sarifFile(flags.sarif, this.config.version),
      junit: flags.junit,
    })
  }

  protected render(audit: AccessAudit): void {
    drawAccessAudit(this.screen, audit)
  }
}
