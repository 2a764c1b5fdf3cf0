import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { appendFileSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { enforceAccess } from '../../../src/lib/access/enforce/enforce.js'
import type { Enforcement } from '../../../src/lib/access/enforce/types.js'
import { systemClock } from '../../../src/lib/clock.js'
import type { Database } from '../../../src/lib/database/database.js'
import { migrate } from '../../../src/lib/database/migrate.js'
import { ExitCode, ExpectedError, NotFoundError, RefusedError } from '../../../src/lib/errors.js'
import { addAccount } from '../../../src/lib/staff/add.js'
import { removeAccount } from '../../../src/lib/staff/remove.js'
import type { Workspace } from '../../../src/lib/workspace.js'
import type { Cluster } from '../../support/cluster.js'
import { byDsn, openUrl, silentLog, testWorkspace } from '../../support/database.js'
import { socketUrl, startPrimaryAndStandby, type PrimaryAndStandby } from '../../support/standby.js'
import { answersFor } from './sample.js'

const OUT_OF_REACH = 'postgres://x@127.0.0.1:1/x?connect_timeout=1&sslmode=disable'

describe('roles that are brought to what the list says', () => {
  let servers: PrimaryAndStandby
  let database: Database
  let workspace: Workspace

  const run = (statement: string) => database.query(statement)
  const both = () => [socketUrl(servers.primary), socketUrl(servers.standby)]

  interface Order {
    dsns?: string[]
    named?: string[]
    isUnknownIncluded?: boolean
    isApproved?: boolean
  }
  /** What became of it, with the exit code of the command. */
  async function enforce(order: Order = {}): Promise<Enforcement & { exitCode: number }> {
    const { dsns = both(), named = [], isUnknownIncluded = false, isApproved = true } = order
    try {
      const done = await enforceAccess(
        workspace,
        { servers: byDsn(...dsns), named, isUnknownIncluded },
        {
          environment: { CLEVERCTL_HOME: '/nonexistent', HOME: '/nonexistent' },
          approve: async () => isApproved,
        },
      )
      return { ...done, exitCode: ExitCode.ok }
    } catch (error) {
      if (!(error instanceof ExpectedError) || error.result === undefined) throw error
      return { ...(error.result as Enforcement), exitCode: error.exitCode }
    }
  }
  const outcomes = ({ changes }: Enforcement) =>
    changes.map(({ kind, role, outcome }) => `${kind} ${role}: ${outcome}`)

  async function canLogIn(role: string): Promise<boolean> {
    const { rows } = await database.query<{ can: boolean }>(
      'select rolcanlogin as can from pg_roles where rolname = $1',
      [role],
    )
    return rows[0]?.can === true
  }
  /** A session of a role; a standby hears of the role a moment later. */
  async function logIn(role: string, { socketFolder, port }: Cluster): Promise<pg.Client> {
    for (;;) {
      const client = new pg.Client({ host: socketFolder, port, user: role, database: 'postgres' })
      client.on('error', () => undefined)
      try {
        await client.connect()
        return client
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
  }

  /** Has a server read its files. */
  async function loadRules(server: Database): Promise<void> {
    const loadedAt = async () => {
      const { rows } = await server.query<{ at: string }>('select pg_conf_load_time()::text as at')
      return rows[0]?.at
    }
    const former = await loadedAt()
    await server.query('select pg_reload_conf()')
    while ((await loadedAt()) === former) await new Promise((done) => setTimeout(done, 20))
  }

  before(async () => {
    servers = await startPrimaryAndStandby()
    database = await openUrl(socketUrl(servers.primary), { migrations: 'ignore' })
    await migrate(database, silentLog)
    workspace = testWorkspace(database, { clock: systemClock })
    const common = { isReplaced: false, networks: [], until: null }
    for (const name of ['ana', 'leaver'])
      await addAccount(workspace, {
        ...{ ...common, kind: 'staff', handle: `${name}@example.com`, description: name },
        ...{ owner: null, roleNames: [name] },
      })
    for (const name of ['postgres', 'app'])
      await addAccount(workspace, {
        ...{ ...common, kind: 'service-account', handle: name, description: name },
        ...{ owner: 'ana@example.com', roleNames: [name] },
      })
    const overNetwork = ['plaintext', 'wide-address', 'everybody', 'replication-rule']
    await run(
      answersFor({
        1: ['weak-method'],
        2: ['weak-method', ...overNetwork, 'superuser-over-network'],
      }),
    )
    await run('create role app login connection limit 5')
    await run(`create role ana login connection limit 5 valid until '2098-01-01'`)
    await run(`create role leaver login connection limit 5 valid until '2098-01-01'`)
    await removeAccount(workspace, { kind: 'staff', handle: 'leaver@example.com' })
  })
  beforeEach(async () => {
    await run('alter role leaver nologin')
  })
  after(async () => {
    await database.close()
    await servers.stop()
  })

  it('says that nothing differs where nothing does', async () => {
    const { exitCode, changes, left } = await enforce({ isApproved: false })
    deepEqual([exitCode, changes, left], [ExitCode.ok, [], []])
  })

  it('changes nothing without a yes, and says what it would do', async () => {
    await run('alter role leaver login')
    const planned = await enforce({ isApproved: false })
    deepEqual([planned.exitCode, outcomes(planned)], [ExitCode.findings, ['login leaver: planned']])
    ok(await canLogIn('leaver'))
  })

  it('closes the login of who left with the sessions on both servers, and mends the rest', async () => {
    await run('alter role leaver login; alter role ana bypassrls connection limit -1')
    await run('grant pg_read_all_data to ana; drop role app')
    const sessions = [
      await logIn('leaver', servers.primary),
      await logIn('leaver', servers.standby),
    ]
    const done = await enforce()
    deepEqual(
      [done.exitCode, outcomes(done)],
      [
        ExitCode.ok,
        [
          'login leaver: done',
          'attribute ana: done',
          'membership ana: done',
          'connection limit ana: done',
          'role missing app: done',
        ],
      ],
    )
    for (const session of sessions) await rejects(session.query('select 1'))
    deepEqual([await canLogIn('leaver'), await canLogIn('app')], [false, true])
    const again = await enforce()
    deepEqual([again.exitCode, again.changes], [ExitCode.ok, []])
  })

  it('ends the sessions that a run left behind after it had closed their login', async () => {
    await run('alter role leaver login')
    const session = await logIn('leaver', servers.standby)
    await run('alter role leaver nologin')
    const done = await enforce()
    deepEqual([done.exitCode, outcomes(done)], [ExitCode.ok, ['session leaver: done']])
    await rejects(session.query('select 1'))
  })

  it('leaves logins of nobody, superusers and roles that replicate until they are named', async () => {
    await run('create role old login connection limit 1; create role dba login superuser')
    await run('create role copier login replication connection limit 1')
    try {
      const left = await enforce({ isUnknownIncluded: false })
      equal(left.exitCode, ExitCode.findings)
      deepEqual([...new Set(left.left.map(({ role }) => role))].sort(), ['copier', 'dba', 'old'])
      const some = await enforce({ isUnknownIncluded: true })
      deepEqual(outcomes(some), ['login old: done'])
      const all = await enforce({ named: ['dba', 'copier'] })
      deepEqual([all.exitCode, await canLogIn('dba'), await canLogIn('copier')], [0, false, false])
      await rejects(enforce({ named: ['nowhere'] }), NotFoundError)
    } finally {
      await run('drop role old; drop role dba; drop role copier')
    }
  })

  it('never calls a server good that is out of reach, and mends what it can reach', async () => {
    const nothing = await enforce({ dsns: [...both(), OUT_OF_REACH] })
    equal(nothing.exitCode, ExitCode.unreachable)
    await run('alter role leaver login')
    const done = await enforce({ dsns: [socketUrl(servers.primary), OUT_OF_REACH] })
    deepEqual([done.exitCode, outcomes(done)], [ExitCode.unreachable, ['login leaver: done']])
    const alone = await enforce({ dsns: [socketUrl(servers.standby), OUT_OF_REACH] })
    deepEqual([alone.exitCode, alone.changes], [ExitCode.unreachable, []])
    await rejects(enforce({ dsns: [socketUrl(servers.standby)] }), { code: 'no-primary' })
  })

  it('changes nothing through a login that is no superuser', async () => {
    await run('alter role leaver login; grant pg_monitor to app')
    const dsns = [socketUrl(servers.primary, 'app')]
    const planned = await enforce({ dsns, isApproved: false })
    deepEqual(outcomes(planned), ['login leaver: planned'])
    await rejects(enforce({ dsns }), RefusedError)
    ok(await canLogIn('leaver'))
  })

  it('has an entry in the trail before and after each change', async () => {
    await run('alter role leaver login')
    await enforce()
    const { rows } = await database.query(
      `select phase, subject, details->>'fix' as fix from cleverctl.trail
       where action = 'access.enforce' order by seq desc limit 2`,
    )
    const fix = 'alter role "leaver" nologin'
    deepEqual(rows, [
      { phase: 'outcome', subject: 'role leaver', fix },
      { phase: 'intent', subject: 'role leaver', fix },
    ])
  })

  describe('with lines of pg_hba.conf', () => {
    const hba = ({ folder }: Cluster) => join(folder, 'data', 'pg_hba.conf')
    const STRANGER = 'host all stranger 0.0.0.0/0 trust'

    /** Runs something while a server has lines below its own. */
    async function withLines(server: Cluster, lines: string, work: () => Promise<void>) {
      const former = readFileSync(hba(server), 'utf8')
      const own = await openUrl(socketUrl(server), { migrations: 'ignore' })
      try {
        appendFileSync(hba(server), lines)
        await loadRules(own)
        await work()
      } finally {
        writeFileSync(hba(server), former)
        await loadRules(own)
        await own.close()
      }
    }

    it('takes out the one for nobody on the list, on the standby alone', async () => {
      const former = readFileSync(hba(servers.standby), 'utf8')
      await withLines(servers.standby, `${STRANGER}\n`, async () => {
        const planned = await enforce({ isApproved: false })
        deepEqual(
          planned.changes.map(({ kind, subject, to }) => [kind, subject, to]),
          [['pg_hba line', 'pg_hba.conf line 3', 'no line']],
        )
        const done = await enforce()
        deepEqual([done.exitCode, outcomes(done)], [ExitCode.ok, ['pg_hba line null: done']])
        equal(readFileSync(hba(servers.standby), 'utf8'), former)
        deepEqual((await enforce()).changes, [])
      })
    })

    it('leaves the one by which somebody on the list comes in', async () => {
      await withLines(servers.primary, 'host all app samenet trust\n', async () => {
        await run(`update cleverctl.account set networks = '{127.0.0.1/32}' where handle = 'app'`)
        const { changes, left, exitCode } = await enforce()
        deepEqual([changes, exitCode], [[], ExitCode.findings])
        deepEqual(
          left.map(({ subject, reason }) => [subject, reason]),
          [['pg_hba.conf line 3', 'app comes in by it']],
        )
        await run(`update cleverctl.account set networks = '{}' where handle = 'app'`)
      })
    })
  })

  describe('whose engineer is let in by a group', () => {
    const hba = () => join(servers.primary.folder, 'data', 'pg_hba.conf')
    const RULES = 'local all postgres trust\nhost replication postgres 127.0.0.1/32 trust\n'
    const GROUP_RULE = 'host all +pg_read_all_data 127.0.0.1/32 trust\n'
    const url = () => `postgres://chief@127.0.0.1:${servers.primary.port}/postgres?sslmode=disable`

    /** Puts rules into force, and others into the file. */
    async function withRules(text: string, unread: string, work: () => Promise<void>) {
      const former = readFileSync(hba())
      const load = async (rules: string | Buffer) => {
        writeFileSync(hba(), rules)
        await loadRules(database)
      }
      await run('create role chiefs; create role chief login superuser in role chiefs')
      await run('grant pg_read_all_data to chiefs; alter role ana bypassrls')
      try {
        await load(text)
        writeFileSync(hba(), unread)
        // As an older file that was copied there with its time.
        utimesSync(hba(), 1, 1)
        await work()
      } finally {
        await load(former)
        await run('alter role ana nobypassrls; drop role chief; drop role chiefs')
      }
    }
    const isMember = async () => {
      const { rows } = await run(`select pg_has_role('chiefs', 'pg_read_all_data', 'usage') as is`)
      return (rows[0] as { is: boolean }).is
    }

    it('does not take that group away, by simulation', async () => {
      await withRules(RULES + GROUP_RULE, RULES + GROUP_RULE, async () => {
        const { left } = await enforce({ dsns: [url()] })
        match(
          left.find(({ role }) => role === 'chiefs')?.reason ?? '',
          /^it would lock out the connection of chief at /,
        )
        ok(await isMember())
      })
    })

    it('gives everything back where the login is refused after all', async () => {
      // The file says that everybody is let in, and the server has not read it.
      const unread = `${RULES}host all all 127.0.0.1/32 trust\n`
      await withRules(RULES + GROUP_RULE, unread, async () => {
        const { exitCode, changes } = await enforce({ dsns: [url()] })
        equal(exitCode, ExitCode.partial)
        deepEqual(
          changes.map(({ role, outcome }) => [role, outcome]),
          [
            ['ana', 'undone'],
            ['chiefs', 'undone'],
          ],
        )
        ok(await isMember())
        const { rows } = await run(`select rolbypassrls as has from pg_roles where rolname = 'ana'`)
        deepEqual(rows, [{ has: true }])
      })
    })
  })
})
