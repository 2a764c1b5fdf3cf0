import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { auditAccess } from '../../src/lib/access/audit/audit.js'
import type { AccessAudit } from '../../src/lib/access/audit/types.js'
import { expireAccess, revokeAccess } from '../../src/lib/access/grant/end.js'
import { grantAccess } from '../../src/lib/access/grant/grant.js'
import type { GrantOrder } from '../../src/lib/access/grant/order.js'
import { listGrants } from '../../src/lib/access/grant/list.js'
import { systemClock } from '../../src/lib/clock.js'
import type { Database } from '../../src/lib/database/database.js'
import {
  ConflictError,
  ExpectedError,
  NotFoundError,
  PartialError,
  RefusedError,
  UsageError,
} from '../../src/lib/errors.js'
import { fileDelivery } from '../../src/lib/file-delivery.js'
import { addAccount } from '../../src/lib/staff/add.js'
import { removeAccount } from '../../src/lib/staff/remove.js'
import type { Workspace } from '../../src/lib/workspace.js'
import { byDsn, databaseUrl, HOMELESS, openUrl, testWorkspace } from '../support/database.js'
import { tlsClient } from '../support/login.js'
import { startServer, type TestServer } from '../support/server.js'

const EMAIL = 'ana@example.com'

describe('access that is granted for a limited time', () => {
  let server: TestServer
  let database: Database
  let workspace: Workspace
  let folder: string
  let count = 0

  const dsn = () => databaseUrl(server.cluster, 'cleverctl')
  const environment = HOMELESS
  const order = (more: Partial<GrantOrder> = {}): GrantOrder => ({
    ...{ email: EMAIL, forMs: 3_600_000, reason: 'ticket 4711', databases: ['fleet'] },
    ...{ isReadOnly: true, method: 'password', servers: byDsn(dsn()) },
    ...more,
  })
  const file = () => join(folder, `password-${count}`)
  const grant = (more: Partial<GrantOrder> = {}) =>
    grantAccess(workspace, order(more), { delivery: fileDelivery(file()), environment })
  const revoke = () => revokeAccess(workspace, { email: EMAIL, environment })
  const at = (offsetMs: number): Workspace => ({
    ...workspace,
    clock: { now: () => new Date(Date.now() + offsetMs) },
  })

  /** A session of a granted role over the network. */
  async function logIn(role: string, password: string, name = 'fleet'): Promise<pg.Client> {
    const client = tlsClient({ port: server.port, role, proof: { password }, database: name })
    await client.connect()
    return client
  }
  /** No rule lets the role come from another address of this machine. */
  const isRefusedFrom = async (localAddress: string, role: string) => {
    const client = new pg.Client({
      ...{ host: 'localhost', port: server.port, user: role, password: password() },
      ...{ database: 'fleet', ssl: { rejectUnauthorized: false } },
      stream: () => {
        const socket = new Socket()
        const dial = socket.connect.bind(socket)
        return Object.assign(socket, {
          connect: (port: number) => dial({ host: '127.0.0.1', port, localAddress }),
        })
      },
    })
    client.on('error', () => undefined)
    await rejects(client.connect(), { code: '28000' })
  }
  const password = () => readFileSync(file(), 'utf8').trim()
  const isRefused = async (role: string) => {
    await rejects(logIn(role, password()), (error: { code?: string }) =>
      /^28/.test(error.code ?? ''),
    )
  }

  before(async () => {
    server = await startServer({ settings: ["log_statement = 'all'", 'log_connections = on'] })
    database = await openUrl(dsn())
    await database.query('create database fleet')
    await database.query('revoke connect on database fleet from public')
    folder = mkdtempSync(join(tmpdir(), 'cctl-grant-'))
    workspace = testWorkspace(database, { clock: systemClock })
    const fleet = await openUrl(dsn().replace('/cleverctl?', '/fleet?'), { migrations: 'ignore' })
    await fleet.query('create table plant (code text)')
    await fleet.close()
  })
  beforeEach(async () => {
    count += 1
    await addAccount(workspace, {
      ...{ kind: 'staff', handle: EMAIL, description: 'Ana', owner: null, isReplaced: true },
      ...{ roleNames: ['ana'], networks: ['127.0.0.1'], until: null },
    })
  })
  afterEach(async () => {
    await revoke()
  })
  after(async () => {
    await database.close()
    await server.stop()
    rmSync(folder, { recursive: true })
  })

  it('lets in over TLS, to read only, and no longer after it was revoked', async () => {
    const granted = await grant()
    equal(granted.outcome, 'granted')
    deepEqual(
      granted.admissions.map(({ standing, network }) => [standing, network]),
      [['let in', '127.0.0.1/32']],
    )
    const session = await logIn(granted.role, password())
    await session.query('select * from plant')
    await rejects(session.query("insert into plant values ('x')"), { code: '25006' })
    await session.query('set default_transaction_read_only = off')
    await rejects(session.query("insert into plant values ('x')"), { code: '42501' })
    const ended = new Promise((resolve) => session.once('end', resolve))
    const { grants } = await revoke()
    deepEqual(
      grants.map(({ outcome, sessionsEnded, endReason }) => [outcome, sessionsEnded, endReason]),
      [['ended', 1, 'revoked']],
    )
    await ended
    await isRefused(granted.role)
    deepEqual(await revoke(), { grants: [] })
  })

  it('changes rows without --read-only, and nothing in a database that is not named', async () => {
    await database.query('create database other')
    await database.query('revoke connect on database other from public')
    try {
      const { role } = await grant({ isReadOnly: false })
      const session = await logIn(role, password())
      await session.query("insert into plant values ('x')")
      await rejects(session.query('create table public.mine (x int)'), { code: '42501' })
      await session.end()
      await rejects(logIn(role, password(), 'other'), { code: '28000' })
    } finally {
      await database.query('drop database other')
    }
  })

  it('takes names and reasons as they are', async () => {
    const name = `a'b"c; drop role "ana"--`
    await database.query(`create database ${pg.escapeIdentifier(name)}`)
    try {
      const { databases, role } = await grant({ databases: [name], reason: `'; drop table x; --` })
      deepEqual(databases, [name])
      await (await logIn(role, password(), name)).end()
    } finally {
      await revoke()
      await database.query(`drop database ${pg.escapeIdentifier(name)}`)
    }
  })

  it('ends by itself: first the password, then with the timer everything', async () => {
    const { role, endsAt } = await grant()
    const session = await logIn(role, password())
    deepEqual(await expireAccess(workspace, { environment }), { grants: [] })
    await database.query(`alter role "${role}" valid until '2020-01-01'`)
    await isRefused(role)
    // The session stands, as PostgreSQL has it.
    await session.query('select 1')
    const { grants } = await expireAccess(at(3_600_001), { environment })
    deepEqual(
      grants.map(({ outcome, sessionsEnded, endReason }) => [outcome, sessionsEnded, endReason]),
      [['ended', 1, 'expired']],
    )
    await rejects(session.query('select 1'))
    ok(Date.parse(endsAt) > Date.now())
  })

  it('ends with the timer when the person is taken off the list', async () => {
    const { role } = await grant()
    await removeAccount(workspace, { kind: 'staff', handle: EMAIL })
    const { grants } = await expireAccess(workspace, { environment })
    deepEqual(
      grants.map(({ outcome }) => outcome),
      ['ended'],
    )
    await isRefused(role)
  })

  it('is the person to an audit while it is in force, and a finding afterwards', async () => {
    let role = ''
    const audit = async (of: Workspace) => {
      const asked = {
        ...{ servers: byDsn(dsn()), environment, failOn: 'critical' as const, isProbing: false },
        ...{ sarif: undefined, junit: undefined },
      }
      const result = await auditAccess(of, asked).catch((error: unknown) => {
        if (error instanceof ExpectedError && error.result) return error.result as AccessAudit
        throw error
      })
      const counts = result.findings.map(({ rule }) => rule).sort()
      const ofRole = result.findings
        .filter(({ subject }) => subject === `role ${role}`)
        .map(({ rule, who }) => `${rule}: ${who}`)
        .sort()
      return { counts, ofRole }
    }
    const before = await audit(workspace)
    role = (await grant()).role
    const during = await audit(workspace)
    deepEqual(during.ofRole, [])
    deepEqual(during.counts, before.counts, 'nor are its lines in pg_hba.conf')
    deepEqual((await audit(at(3_600_001))).ofRole, [
      `powerful-group: ${EMAIL}`,
      `role-nobody: ${EMAIL}`,
    ])
  })

  it('gives the server a verifier and never the password, not even in its log', async () => {
    const { role } = await grant()
    const secret = password()
    await (await logIn(role, secret)).end()
    const log = readFileSync(server.cluster.logFile, 'utf8')
    ok(log.includes(`create role "${role}"`))
    ok(!log.includes(secret))
    const { rows } = await database.query<{ kept: string }>(
      'select row_to_json(access_grant)::text as kept from cleverctl.access_grant where role_name = $1',
      [role],
    )
    ok(rows[0]?.kept.includes('SCRAM-SHA-256$') && !rows[0].kept.includes(secret))
    await revoke()
    const { rows: left } = await database.query<{ kept: string }>(
      'select row_to_json(access_grant)::text as kept from cleverctl.access_grant where role_name = $1',
      [role],
    )
    ok(!left[0]?.kept.includes('SCRAM-SHA-256$'))
  })

  it('is the same when it is given twice, and refused with other facts', async () => {
    const { role } = await grant()
    const again = await grantAccess(workspace, order(), {
      ...{ delivery: fileDelivery(`${file()}-again`), environment },
    })
    deepEqual([again.outcome, again.role], ['unchanged', role])
    await rejects(grant({ isReadOnly: false }), ConflictError)
    await rejects(grant({ reason: 'another' }), ConflictError)
    equal((await listGrants(workspace, { withEnded: false })).length, 1)
    await (await logIn(role, password())).end()
  })

  const hbaFile = () => join(server.cluster.folder, 'data', 'pg_hba.conf')
  const NARROW = 'local all postgres trust\nhostssl all +other 127.0.0.1/32 scram-sha-256\n'

  /** Runs something under other rules than those that all tests share. */
  async function withRules(text: string, work: () => Promise<void>): Promise<void> {
    const former = readFileSync(hbaFile())
    const load = async () => {
      const { rows } = await database.query<{ at: string }>(
        'select pg_conf_load_time()::text as at, pg_reload_conf()',
      )
      for (;;) {
        const now = await database.query<{ at: string }>('select pg_conf_load_time()::text as at')
        if (now.rows[0]?.at !== rows[0]?.at) return
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
    try {
      writeFileSync(hbaFile(), text)
      await load()
      await work()
    } finally {
      await revoke()
      writeFileSync(hbaFile(), former)
      await load()
    }
  }

  it('writes the line that pg_hba.conf lacks, for the networks of the person alone, and takes it out', async () => {
    await withRules(NARROW, async () => {
      const mode = statSync(hbaFile()).mode
      const { admissions, role } = await grant()
      deepEqual(
        admissions.map(({ standing }) => standing),
        ['let in'],
      )
      await (await logIn(role, password())).end()
      await isRefusedFrom('127.0.0.2', role)
      match(readFileSync(hbaFile(), 'utf8'), new RegExp(`hostssl "fleet" "${role}" 127.0.0.1/32`))
      equal(statSync(hbaFile()).mode, mode)
      await revoke()
      equal(readFileSync(hbaFile(), 'utf8'), NARROW)
    })
  })

  it('does not come in by a wider rule that stands below', async () => {
    const { role } = await grant()
    await isRefusedFrom('127.0.0.2', role)
  })

  it('finishes what was cut off after the file was written and before the server read it', async () => {
    await withRules(NARROW, async () => {
      const { role } = await grant()
      const whole = readFileSync(hbaFile(), 'utf8')
      writeFileSync(hbaFile(), NARROW)
      await database.query('select pg_reload_conf()')
      writeFileSync(hbaFile(), whole)
      await grantAccess(workspace, order(), {
        ...{ delivery: fileDelivery(`${file()}-again`), environment },
      })
      await (await logIn(role, password())).end()
    })
  })

  it('says the line that is missing where the file cannot be read, and touches nothing', async () => {
    const broken = `# begin of the lines that cleverctl keeps; it replaces them, so change them there\n${NARROW}`
    await withRules(broken, async () => {
      const { admissions, role } = await grant()
      deepEqual(
        admissions.map(({ standing, line }) => [standing, line]),
        [['refused', `hostssl fleet ${role} 127.0.0.1/32 scram-sha-256`]],
      )
      equal(readFileSync(hbaFile(), 'utf8'), broken)
    })
  })

  const OUT_OF_REACH = 'postgres://x@127.0.0.1:1/x?connect_timeout=1&sslmode=disable'

  it('is not begun while one of the servers is out of reach', async () => {
    const former = await rolesOf()
    await rejects(grant({ servers: byDsn(dsn(), OUT_OF_REACH) }), { code: 'database-unreachable' })
    deepEqual(await listGrants(workspace, { withEnded: false }), [])
    deepEqual(await rolesOf(), former)
  })

  /** Against the guard, which lets nobody do this. */
  const setServers = (role: string, servers: string[]) =>
    database.transaction(async (transaction) => {
      await transaction.query('set local session_replication_role = replica')
      await transaction.query(
        'update cleverctl.access_grant set servers = $1 where role_name = $2',
        [servers, role],
      )
    })

  it('is ending, and never called ended, while one of the servers is out of reach', async () => {
    const { role } = await grant()
    await setServers(role, [dsn(), OUT_OF_REACH])
    await rejects(revoke(), PartialError)
    await isRefused(role)
    deepEqual(
      (await listGrants(workspace, { withEnded: false })).map(({ state }) => state),
      ['ENDING'],
    )
    await setServers(role, [dsn()])
    const { grants } = await expireAccess(workspace, { environment })
    deepEqual(
      grants.map(({ outcome, endReason }) => [outcome, endReason]),
      [['ended', 'revoked']],
    )
  })

  const rolesOf = async () => {
    const { rows } = await database.query<{ name: string }>('select rolname as name from pg_roles')
    return rows.map(({ name }) => name)
  }

  const bad: [what: string, more: Partial<GrantOrder>, error: typeof ExpectedError][] = [
    ['a database that is not there', { databases: ['nowhere'] }, NotFoundError],
    ['somebody whom nobody knows', { email: 'nobody@example.com' }, NotFoundError],
    ['a minute too little', { forMs: 59_000 }, UsageError],
    ['more than a week', { forMs: 8 * 86_400_000 }, UsageError],
    ['no reason', { reason: '' }, UsageError],
  ]
  for (const [what, more, error] of bad)
    it(`is refused for ${what}, and nothing is changed`, async () => {
      const former = await rolesOf()
      await rejects(grant(more), error)
      deepEqual(await rolesOf(), former)
      deepEqual(await listGrants(workspace, { withEnded: false }), [])
      ok(!existsSync(file()))
    })

  it('is refused for somebody whose last day comes before its end', async () => {
    const today = new Date().toISOString().slice(0, 10)
    await addAccount(workspace, {
      ...{ kind: 'staff', handle: EMAIL, description: 'Ana', owner: null, isReplaced: true },
      ...{ roleNames: ['ana'], networks: ['127.0.0.1'], until: today },
    })
    await rejects(grant({ forMs: 2 * 86_400_000 }), ConflictError)
  })

  it('is given by the owner of the database alone, through a superuser of the server', async () => {
    const staff = await openUrl(server.url('staff'))
    const owner = await openUrl(server.url('owner'))
    try {
      const given = { delivery: fileDelivery(file()), environment }
      await rejects(grantAccess({ ...workspace, database: staff }, order(), given), RefusedError)
      await rejects(
        grantAccess({ ...workspace, database: owner }, order({ servers: byDsn() }), given),
        {
          code: 'superuser-needed',
        },
      )
      const { role } = await grantAccess({ ...workspace, database: owner }, order(), given)
      await (await logIn(role, password())).end()
    } finally {
      await staff.close()
      await owner.close()
    }
  })
})
