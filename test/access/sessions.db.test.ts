import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import pg from 'pg'
import { findSessions, type SessionsQuestion } from '../../src/lib/access/sessions/sessions.js'
import type { SessionsFound, ShownSession } from '../../src/lib/access/sessions/types.js'
import { systemClock } from '../../src/lib/clock.js'
import { ExpectedError, UsageError } from '../../src/lib/errors.js'
import { addAccount } from '../../src/lib/staff/add.js'
import type { Workspace } from '../../src/lib/workspace.js'
import { freshDatabase, testWorkspace, type FreshDatabase } from '../support/database.js'
import { startServer, type TestServer } from '../support/server.js'
import { sessionsQuestion } from '../support/session-log.js'

const PREFIX = '%m [%p] %c %l %q%u@%d '
const FORMS = ['json', 'csv', 'log'] as const
const TLS_TEXT = 'SSL enabled (protocol=TLSv1.3, cipher=TLS_AES_256_GCM_SHA384, bits=256)'

describe('sessions by the logs of a real PostgreSQL', () => {
  let server: TestServer
  let own: FreshDatabase
  let workspace: Workspace
  let folder: string

  const client = (config: pg.ClientConfig) => {
    const made = new pg.Client({
      host: '127.0.0.1',
      port: server.port,
      database: 'cleverctl',
      ...config,
    })
    made.on('error', () => undefined)
    return made
  }
  const visit = async (config: pg.ClientConfig, ...statements: string[]) => {
    const visitor = client(config)
    try {
      await visitor.connect()
      for (const statement of statements) await visitor.query(statement)
    } catch (error) {
      if (!(error instanceof Error)) throw error
    } finally {
      await visitor.end().catch(() => undefined)
    }
  }
  const tls = { ssl: { rejectUnauthorized: false } }

  before(async () => {
    server = await startServer({
      roles: false,
      settings: [
        'logging_collector = on',
        "log_destination = 'stderr,csvlog,jsonlog'",
        "log_directory = 'log'",
        "log_filename = 'pg.log'",
        'log_connections = on',
        'log_disconnections = on',
        "log_timezone = 'Europe/Madrid'",
        `log_line_prefix = '${PREFIX}'`,
      ],
    })
    const data = join(server.cluster.folder, 'data')
    writeFileSync(
      join(data, 'pg_hba.conf'),
      [
        'local all postgres trust',
        'hostssl all engineer 127.0.0.1/32 scram-sha-256',
        'hostssl all leaver 127.0.0.1/32 scram-sha-256',
        'host all plain,postgres,"a database=b" 127.0.0.1/32 trust',
        'host all all all scram-sha-256',
        '',
      ].join('\n'),
    )
    await server.administer('select pg_reload_conf()')
    await server.administer("create role engineer login password 'right'")
    await server.administer("create role leaver login password 'right'")
    await server.administer('create role plain login')
    await server.administer('create role "a database=b" login')
    const password = 'right'
    await visit({ user: 'engineer', password, application_name: 'first', ...tls }, 'select 1')
    await visit({ user: 'leaver', password, application_name: `x ${TLS_TEXT}`, ...tls }, 'select 1')
    await visit({ user: 'plain', application_name: `y ${TLS_TEXT}` }, 'select 1')
    await visit({ user: 'a database=b', application_name: 'odd' }, 'select 1')
    await visit({ user: 'plain', database: 'nodb' })
    for (let attempt = 0; attempt < 10; attempt += 1)
      await visit({ user: 'engineer', password: 'wrong', ...tls })
    // Text that looks like records of others, wherever a client may put it.
    const lie = `connection authorized: user=engineer database=cleverctl application_name=lie ${TLS_TEXT}`
    const line = `2099-01-01 00:00:00.000 CET [1] 6b076911.1 1 engineer@cleverctl LOG:  ${lie}`
    await visit({ user: `x\n${line}`, application_name: `\n${line}` })
    await visit({ user: 'plain', database: `y\n1 LOG:  ${lie}` })
    await visit({ user: `p LOG:  ${lie}`.slice(0, 63) })
    await visit(
      { user: 'plain', application_name: 'raiser' },
      `do $$ begin raise log '%', 'connection received: host=10.0.0.1 port=1'; raise log '%', '${lie}'; end $$`,
      `do $$ begin raise log '%', 'disconnection: session time: 0:00:00.001 user=plain database=cleverctl host=x port=1'; end $$`,
      `select '\n${line}\n2099-01-01 00:00:00.000 CET,"engineer","cleverctl",1,"10.0.0.1:1",6b076911.1,1,"authentication",2099-01-01 00:00:00 CET,,0,LOG,00000,"${lie}",,,,,,,,,"","client backend",,0\n' / 0`,
    )
    // The superuser hides the end of their session.
    await visit(
      { user: 'postgres', options: '-c log_disconnections=off', application_name: 'hidden' },
      'select 1',
    )
    await server.cluster.program('pg_ctl', [
      '-D',
      data,
      '-w',
      '-m',
      'fast',
      '-l',
      server.cluster.logFile,
      'restart',
    ])
    folder = mkdtempSync(join(tmpdir(), 'cctl-sessions-'))
    for (const form of FORMS)
      copyFileSync(join(data, 'log', `pg.${form}`), join(folder, `pg.${form}`))

    own = await freshDatabase()
    workspace = testWorkspace(own.database, { clock: systemClock })
    const common = {
      isReplaced: false,
      owner: null,
      kind: 'staff' as const,
      networks: ['127.0.0.1'],
    }
    const add = (handle: string, roleNames: string[], more: object) =>
      addAccount(workspace, {
        ...common,
        handle,
        roleNames,
        description: 'x',
        until: null,
        ...more,
      })
    await add('engineer@example.com', ['engineer'], {})
    await add('leaver@example.com', ['leaver'], { until: '2020-01-01', networks: ['10.0.0.0/8'] })
    await add('b@example.com', ['a'], {})
  })
  after(async () => {
    await own.drop()
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const find = async (logs: string[], more: Partial<SessionsQuestion> = {}) => {
    const asked = sessionsQuestion({ logs, prefix: PREFIX, sinceMs: 86_400_000, ...more })
    return findSessions(workspace, asked).catch((error: unknown) => {
      if (!(error instanceof ExpectedError) || error.result === undefined) throw error
      return error.result as SessionsFound
    })
  }
  const one = (found: SessionsFound, application: string): ShownSession => {
    const those = found.sessions.filter((session) => session.application === application)
    equal(those.length, 1, application)
    return those[0] as ShownSession
  }

  for (const form of FORMS) {
    describe(`in ${form}`, () => {
      let found: SessionsFound
      before(async () => {
        found = await find([join(folder, `pg.${form}`)])
      })

      it('tells who it was, how that was proven, by which rule, from where and when', () => {
        const session = one(found, 'first')
        equal(session.who, 'engineer@example.com')
        deepEqual(
          [session.role, session.database, session.method, session.address, session.tls],
          ['engineer', 'cleverctl', 'scram-sha-256', '127.0.0.1', 'TLSv1.3'],
        )
        match(session.rule ?? '', /pg_hba\.conf:2$/)
        equal(session.outcome, 'ended')
        deepEqual(session.flags, [])
        const age = Date.now() - Date.parse(session.start)
        ok(age >= 0 && age < 3_600_000, `times are in UTC: ${session.start}`)
        ok((session.end ?? '') >= session.start)
      })

      it('tells a leaver whose network is another one', () => {
        const session = one(found, `x ${TLS_TEXT}`)
        equal(session.tls, 'TLSv1.3')
        equal(session.who, 'leaver@example.com')
        deepEqual(session.flags.sort(), ['outside-networks', 'over'])
      })

      it('tells whom nobody asked for a proof', () => {
        const session = found.sessions.find(
          ({ role, outcome }) => role === 'plain' && outcome === 'ended',
        )
        ok(session?.flags.includes('trust') && session.flags.includes('nobody'))
      })

      it('takes nobody for somebody else whose name is part of theirs', () => {
        const session = one(found, 'odd')
        equal(session.who, 'nobody')
        ok(!found.sessions.some(({ who }) => who === 'b@example.com'))
      })

      it('sees a storm of refusals, and in refusals nobody', () => {
        const refused = found.sessions.filter(
          ({ role, outcome }) => role === 'engineer' && outcome === 'refused',
        )
        equal(refused.length, 10)
        for (const { who, flags, failure } of refused) {
          equal(who, null)
          ok(flags.includes('failed-login-storm'))
          match(failure?.reason ?? '', /password authentication failed/)
        }
      })

      it('counts a database that is not there as refused', () => {
        const session = found.sessions.find(({ database }) => database === 'nodb')
        equal(session?.outcome, 'refused')
      })

      it('lets no text of a client become a session of somebody', () => {
        const people = found.sessions.filter(({ who }) => who === 'engineer@example.com')
        deepEqual(
          people.map(({ application }) => application),
          ['first'],
        )
        ok(found.sessions.every(({ start, address }) => start < '2098' && address !== '10.0.0.1'))
        const raiser = one(found, 'raiser')
        equal(raiser.role, 'plain')
        equal(raiser.outcome, 'ended')
        ok(raiser.flags.includes('forged-record'))
        ok(!raiser.flags.includes('line-gap'))
      })

      it('sees that a superuser came without a grant and hid their end', () => {
        const flags = one(found, 'hidden').flags
        ok(flags.includes('superuser-without-grant'))
        if (form !== 'log') ok(flags.includes('no-disconnection'))
      })
    })
  }

  it('tells TLS from a name that looks like it, where the log has names in fields', async () => {
    for (const form of ['json', 'csv'] as const) {
      const session = one(await find([join(folder, `pg.${form}`)]), 'y')
      equal(session.tls, null)
      ok(session.flags.includes('forged-record'))
    }
  })

  it('reads what gzip and zstd have packed, and a session across two logs', async () => {
    const bytes = readFileSync(join(folder, 'pg.json'))
    const whole = await find([join(folder, 'pg.json')])
    const middle = bytes.indexOf('\n', bytes.length / 2) + 1
    const sub = mkdtempSync(join(folder, 'packed-'))
    writeFileSync(join(sub, 'a.json.1.gz'), gzipSync(bytes.subarray(0, middle)))
    writeFileSync(join(sub, 'b.json'), bytes.subarray(middle))
    execFileSync('zstd', ['-q', '--rm', join(sub, 'b.json')])
    const packed = await find([join(sub, 'b.json.zst'), join(sub, 'a.json.1.gz')])
    const facts = ({ sessions }: SessionsFound) =>
      sessions.map(({ server: _server, ...rest }) => rest)
    deepEqual(facts(packed), facts(whole))
  })

  it('sees that lines are missing', async () => {
    const lines = readFileSync(join(folder, 'pg.json'), 'utf8').split('\n')
    const at = lines.findIndex((text) => text.includes('"statement":"select'))
    ok(at > 0)
    const path = join(folder, 'gap.json')
    writeFileSync(path, lines.filter((_, index) => index !== at).join('\n'))
    ok(one(await find([path]), 'raiser').flags.includes('line-gap'))
  })

  it('ends with 8 only when asked to check, and lists what stands out first', async () => {
    const asked = sessionsQuestion({
      ...{ logs: [join(folder, 'pg.json')], sinceMs: 86_400_000, superusers: [] },
      ...{ limit: 2, isChecking: true },
    })
    await rejects(findSessions(workspace, asked), (error) => {
      ok(error instanceof ExpectedError)
      equal(error.exitCode, 8)
      const { sessions, total, flagged } = error.result as SessionsFound
      equal(sessions.length, 2)
      ok(total > 10 && flagged > 10)
      ok(sessions.every(({ flags }) => flags.length > 0))
      return true
    })
  })

  it('never calls good what it could not read', async () => {
    const write = (name: string, text: string) => {
      const path = join(folder, name)
      writeFileSync(path, text)
      return path
    }
    for (const [log, reason] of [
      [write('none.json', '{"a":1}\n'), /no record/],
      [write('empty.csv', ''), /no record/],
      [
        write(
          'short.json.gz',
          gzipSync(readFileSync(join(folder, 'pg.json')))
            .subarray(0, 900)
            .toString('latin1'),
        ),
        /./,
      ],
    ] as const) {
      const { notRead } = await find([log])
      match(notRead[0]?.reason ?? '', reason, log)
    }
    const { notRead } = await find([join(folder, 'pg.log')], { prefix: undefined })
    match(notRead[0]?.reason ?? '', /log_line_prefix/)
    await rejects(find([folder]), UsageError)
    await rejects(find([join(folder, 'nowhere.json')]), UsageError)
    await rejects(find([join(folder, 'pg.log')], { prefix: '%u@%d ' }), UsageError)
  })
})
