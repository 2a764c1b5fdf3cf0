import { Flags } from '@oclif/core'
import { followSessions, type SessionsFollowed } from '../../lib/access/sessions/follow.js'
import { findSessions } from '../../lib/access/sessions/sessions.js'
import {
  SESSION_FLAGS,
  type SessionsFound,
  type ShownSession,
} from '../../lib/access/sessions/types.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { durationFlag } from '../../lib/terminal/flags.js'
import { hoursFlag } from '../../lib/terminal/hours-flag.js'
import { drawFollowed, drawSessions } from '../../lib/terminal/sessions.js'

const NOT_OF_LEDGER = ['log', 'host', 'record']

export default class AccessSessions extends BaseCommand<SessionsFound | SessionsFollowed> {
  static override summary = 'see who was in the databases, by the logs of PostgreSQL'
  static override description =
    'Without --log, --host and --record it asks the ledger of what was recorded. Otherwise reads jsonlog, csvlog and the log of stderr, current and rotated, packed by gzip or zstd, and joins their records ' +
    'to sessions: who it was by the list, how that was proven, from where, when, and what stands out. Of hosts the logs are read over SSH. With --record what was written since the last time goes into the ledger, ' +
    'whose rows are chained: a log is known by how it begins, whatever it is called by then. The logs must ' +
    'have log_connections and log_disconnections, in English. Exit codes: 0 everything was read and, with --check, ' +
    'nothing stands out; 8 with --check, something does; 5 nothing was ever recorded; 7 a host was out of reach; 1 something could not be read. With --follow it goes on until SIGINT or SIGTERM and ends with 130 or 143.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> --record --check',
    '<%= config.bin %> <%= command.id %> --record --follow --json',
    '<%= config.bin %> <%= command.id %> --since 30d --who engineer@example.com',
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
        'a database host whose logs are read over SSH; may be given several times [default: all of them with --record]',
      helpValue: 'NAME',
      multiple: true,
      multipleNonGreedy: true,
      exclusive: ['log', 'log-line-prefix'],
    }),
    record: Flags.boolean({
      description: 'add to the ledger what was written since it was recorded last',
    }),
    anew: Flags.boolean({
      description: 'record logs from their beginning again; nothing is added twice',
      dependsOn: ['record'],
    }),
    who: Flags.string({
      description: 'of the ledger only sessions of this person or service account, or of nobody',
      helpValue: 'HANDLE',
      exclusive: NOT_OF_LEDGER,
    }),
    flag: Flags.option({
      description: 'of the ledger only sessions that stand out in this way',
      options: SESSION_FLAGS,
      exclusive: NOT_OF_LEDGER,
    })(),
    server: Flags.string({
      description: 'of the ledger only sessions of this host, or of the logs in MACHINE:FOLDER',
      helpValue: 'NAME',
      exclusive: NOT_OF_LEDGER,
    }),
    'log-line-prefix': Flags.string({
      description:
        'log_line_prefix of the server, for logs of stderr; it must tell the session or the process',
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
    follow: Flags.boolean({
      description: 'stay, and show sessions as they come; with --json one object a line',
      exclusive: ['check', 'limit', 'who', 'flag', 'server'],
    }),
  }

  protected async execute(): Promise<SessionsFound | SessionsFollowed> {
    const { flags } = await this.parse(AccessSessions)
    const {
      since: sinceMs = 86_400_000,
      hours,
      timezone,
      superuser: superusers = ['postgres'],
    } = flags
    const workspace = await this.workspace(flags, { finishesStatements: flags.follow })
    const asked = {
      logs: flags.log ?? [],
      hosts: flags.host ?? [],
      isRecording: flags.record,
      isAnew: flags.anew,
      filter: { who: flags.who, flag: flags.flag, server: flags.server },
      environment: process.env,
      prefix: flags['log-line-prefix'],
      sinceMs,
      hours: hours && { window: hours, timezone },
      superusers,
      limit: flags.limit,
      isChecking: flags.check,
    }
    if (!flags.follow) return findSessions(workspace, asked)
    this.jsonIndent = 0
    return followSessions(workspace, asked, async (session) => this.#show(session))
  }

  protected render(found: SessionsFound | SessionsFollowed): void {
    if ('sessions' in found) drawSessions(this.screen, found)
  }

  /** With --follow each session was written when it came. */
  override logJson(found: SessionsFound | SessionsFollowed): void {
    if (!('shown' in found)) super.logJson(found)
  }

  async #show(session: ShownSession): Promise<void> {
    if (this.jsonEnabled()) await this.screen.stream(`${JSON.stringify(session)}\n`)
    else drawFollowed(this.screen, session)
  }
}
