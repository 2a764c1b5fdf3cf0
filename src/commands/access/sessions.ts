import { Flags } from '@oclif/core'
import { findSessions } from '../../lib/access/sessions/sessions.js'
import type { SessionsFound } from '../../lib/access/sessions/types.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { durationFlag } from '../../lib/terminal/flags.js'
import { hoursFlag } from '../../lib/terminal/hours-flag.js'
import { drawSessions } from '../../lib/terminal/sessions.js'

export default class AccessSessions extends BaseCommand<SessionsFound> {
  static override summary = 'see who was in the databases, by the logs of PostgreSQL'
  static override description =
    'Reads jsonlog, csvlog and the log of stderr, current and rotated, packed by gzip or zstd, and joins their records ' +
    'to sessions: who it was by the list, how that was proven, from where, when, and what stands out. Without --log the logs of every recorded database host are read over SSH. The logs must ' +
    'have log_connections and log_disconnections, in English. Exit codes: 0 everything was read and, with --check, ' +
    'nothing stands out; 8 with --check, something does; 7 a host was out of reach; 1 something could not be read.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> --host db1 --host db2 --since 24h --check',
    '<%= config.bin %> <%= command.id %> --log /var/log/postgresql/postgresql.json',
    '<%= config.bin %> <%= command.id %> --log postgresql.csv --log postgresql.csv.1.gz --since 14d --check --json',
    "<%= config.bin %> <%= command.id %> --log postgresql.log --log-line-prefix '%m [%p] %q%u@%d ' --hours 07:00-19:00 --timezone Europe/Madrid",
  ]

  static override flags = {
    log: Flags.string({
      description:
        'a log of PostgreSQL; may be given several times, those in one folder are of one server',
      helpValue: 'FILE',
      multiple: true,
      multipleNonGreedy: true,
    }),
    host: Flags.string({
      description:
        'a database host whose logs are read over SSH; may be given several times [default: all of them]',
      helpValue: 'NAME',
      multiple: true,
      multipleNonGreedy: true,
      exclusive: ['log', 'log-line-prefix'],
    }),
    'log-line-prefix': Flags.string({
      description: 'log_line_prefix of the server, for logs of stderr; it must have %c or %p',
      helpValue: 'PREFIX',
    }),
    since: durationFlag({ description: 'how far back [default: 24h]', helpValue: '24h|14d' }),
    hours: hoursFlag({
      description: 'when people work; sessions of people that begin otherwise stand out',
    }),
    timezone: Flags.string({
      description: 'by whose clock',
      helpValue: 'ZONE',
      default: 'UTC',
    }),
    superuser: Flags.string({
      description:
        'a role that is superuser; may be given several times, hosts are asked [default: postgres]',
      helpValue: 'ROLE',
      multiple: true,
      multipleNonGreedy: true,
    }),
    limit: Flags.integer({
      description: 'sessions listed at most: those that stand out first, then the latest',
      default: 1000,
      min: 1,
      max: 100_000,
    }),
    check: Flags.boolean({ description: 'end with 8 when a session stands out' }),
  }

  protected async execute(): Promise<SessionsFound> {
    const { flags } = await this.parse(AccessSessions)
    const {
      since: sinceMs = 86_400_000,
      hours,
      timezone,
      superuser: superusers = ['postgres'],
    } = flags
    return findSessions(await this.workspace(flags), {
      logs: flags.log ?? [],
      hosts: flags.host ?? [],
      environment: process.env,
      prefix: flags['log-line-prefix'],
      sinceMs,
      hours: hours && { window: hours, timezone },
      superusers,
      limit: flags.limit,
      isChecking: flags.check,
    })
  }

  protected render(found: SessionsFound): void {
    drawSessions(this.screen, found)
  }
}
