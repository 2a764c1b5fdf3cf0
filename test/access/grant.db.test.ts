import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import pg from 'pg'
import type { GrantOrder } from '../../src/lib/access/grant/order.js'
import { listGrants } from '../../src/lib/access/grant/list.js'
import {
  ConflictError,
  type ExpectedError,
  NotFoundError,
  PartialError,
  RefusedError,
  UsageError,
} from '../../src/lib/errors.js'
import { removeAccount } from '../../src/lib/staff/remove.js'
import type { Workspace } from '../../src/lib/workspace.js'
import { byDsn, openUrl } from '../support/database.js'
import { EMAIL, withGrants, type GrantFixture } from '../support/grants.js'

describe('access that is granted for a limited time', () => {
  let on: GrantFixture

  withGrants((started) => {
    on = started
  })

  it('lets in over TLS, to read only, and no longer after it was revoked', async () => {
    const granted = await on.grant()
    equal(granted.outcome, 'granted')
    deepEqual(
      granted.admissions.map(({ standing, network }) => [standing, network]),
      [['let in', '127.0.0.1/32']],
    )
    const session = await on.logIn(granted.role)
    await session.query('select * from plant')
    await rejects(session.query("insert into plant values ('x')"), { code: '25006' })
    await session.query('set default_transaction_read_only = off')
    await rejects(session.query("insert into plant values ('x')"), { code: '42501' })
    const ended = new Promise((resolve) => session.once('end', resolve))
    const { grants } = await on.revoke()
    deepEqual(
      grants.map(({ outcome, sessionsEnded, endReason }) => [outcome, sessionsEnded, endReason]),
      [['ended', 1, 'revoked']],
    )
    await ended
    await on.isRefused(granted.role)
    deepEqual(await on.revoke(), { grants: [] })
  })

  it('changes rows without --read-only, and nothing in a database that is not named', async () => {
    await on.database.query('create database other')
    await on.database.query('revoke connect on database other from public')
    try {
      const { role } = await on.grant({ isReadOnly: false })
      const session = await on.logIn(role)
      await session.query("insert into plant values ('x')")
      await rejects(session.query('create table public.mine (x int)'), { code: '42501' })
      await session.end()
      await rejects(on.logIn(role, 'other'), { code: '28000' })
    } finally {
      await on.database.query('drop database other')
    }
  })

  it('is for all databases but the one of cleverctl, in which the list is, where none is named', async () => {
    const { databases } = await on.grant({ databases: [] })
    await on.revoke()
    deepEqual(databases, ['fleet', 'postgres'])
  })

  it('takes names and reasons as they are', async () => {
    const name = `a'b"c; drop role "ana"--`
    await on.database.query(`create database ${pg.escapeIdentifier(name)}`)
    try {
      const { databases, role } = await on.grant({
        databases: [name],
        reason: `'; drop table x; --`,
      })
      deepEqual(databases, [name])
      await (await on.logIn(role, name)).end()
    } finally {
      await on.revoke()
      await on.database.query(`drop database ${pg.escapeIdentifier(name)}`)
    }
  })

  it('ends by itself: first the password, then with the timer everything', async () => {
    const { role, endsAt } = await on.grant()
    const session = await on.logIn(role)
    deepEqual(await on.expire(), { grants: [] })
    await on.database.query(`alter role "${role}" valid until '2020-01-01'`)
    await on.isRefused(role)
    // The session stands, as PostgreSQL has it.
    await session.query('select 1')
    const { grants } = await on.expire(on.at(3_600_001))
    deepEqual(
      grants.map(({ outcome, sessionsEnded, endReason }) => [outcome, sessionsEnded, endReason]),
      [['ended', 1, 'expired']],
    )
    await rejects(session.query('select 1'))
    ok(Date.parse(endsAt) > Date.now())
  })

  it('ends with the timer when the person is taken off the list', async () => {
    const { role } = await on.grant()
    await removeAccount(on.workspace, { kind: 'staff', handle: EMAIL })
    const { grants } = await on.expire()
    deepEqual(
      grants.map(({ outcome }) => outcome),
      ['ended'],
    )
    await on.isRefused(role)
  })

  it('is the person to an audit while it is in force, and a finding afterwards', async () => {
    let role = ''
    const audit = async (of: Workspace) => {
      const result = await on.audit(of)
      const counts = result.findings.map(({ rule }) => rule).sort()
      const ofRole = result.findings
        .filter(({ subject }) => subject === `role ${role}`)
        .map(({ rule, who }) => `${rule}: ${who}`)
        .sort()
      return { counts, ofRole }
    }
    const before = await audit(on.workspace)
    role = (await on.grant()).role
    const during = await audit(on.workspace)
    deepEqual(during.ofRole, [])
    deepEqual(during.counts, before.counts, 'nor are its lines in pg_hba.conf')
    deepEqual((await audit(on.at(3_600_001))).ofRole, [
      `powerful-group: ${EMAIL}`,
      `role-nobody: ${EMAIL}`,
    ])
  })

  it('gives the server a verifier and never the password, not even in its log', async () => {
    const { role } = await on.grant()
    const secret = on.password
    await (await on.logIn(role)).end()
    const log = readFileSync(on.server.cluster.logFile, 'utf8')
    ok(log.includes(`create role "${role}"`))
    ok(!log.includes(secret))
    const { rows } = await on.database.query<{ kept: string }>(
      'select row_to_json(access_grant)::text as kept from cleverctl.access_grant where role_name = $1',
      [role],
    )
    ok(rows[0]?.kept.includes('SCRAM-SHA-256$') && !rows[0].kept.includes(secret))
    await on.revoke()
    const { rows: left } = await on.database.query<{ kept: string }>(
      'select row_to_json(access_grant)::text as kept from cleverctl.access_grant where role_name = $1',
      [role],
    )
    ok(!left[0]?.kept.includes('SCRAM-SHA-256$'))
  })

  it('is the same when it is given twice, and refused with other facts', async () => {
    const { role } = await on.grant()
    const again = await on.grant({}, { file: `${on.file}-again` })
    deepEqual([again.outcome, again.role], ['unchanged', role])
    await rejects(on.grant({ isReadOnly: false }), ConflictError)
    await rejects(on.grant({ reason: 'another' }), ConflictError)
    equal((await listGrants(on.workspace, { withEnded: false })).length, 1)
    await (await on.logIn(role)).end()
  })

  const OUT_OF_REACH = 'postgres://x@127.0.0.1:1/x?connect_timeout=1&sslmode=disable'

  it('is not begun while one of the servers is out of reach', async () => {
    const former = await rolesOf()
    await rejects(on.grant({ servers: byDsn(on.dsn, OUT_OF_REACH) }), {
      code: 'database-unreachable',
    })
    deepEqual(await listGrants(on.workspace, { withEnded: false }), [])
    deepEqual(await rolesOf(), former)
  })

  /** Against the guard, which lets nobody do this. */
  const setServers = (role: string, servers: string[]) =>
    on.database.transaction(async (transaction) => {
      await transaction.query('set local session_replication_role = replica')
      await transaction.query(
        'update cleverctl.access_grant set servers = $1 where role_name = $2',
        [servers, role],
      )
    })

  it('is ending, and never called ended, while one of the servers is out of reach', async () => {
    const { role } = await on.grant()
    await setServers(role, [on.dsn, OUT_OF_REACH])
    await rejects(on.revoke(), PartialError)
    await on.isRefused(role)
    deepEqual(
      (await listGrants(on.workspace, { withEnded: false })).map(({ state }) => state),
      ['ENDING'],
    )
    await setServers(role, [on.dsn])
    const { grants } = await on.expire()
    deepEqual(
      grants.map(({ outcome, endReason }) => [outcome, endReason]),
      [['ended', 'revoked']],
    )
  })

  const rolesOf = async () => {
    const { rows } = await on.database.query<{ name: string }>(
      'select rolname as name from pg_roles',
    )
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
      await rejects(on.grant(more), error)
      deepEqual(await rolesOf(), former)
      deepEqual(await listGrants(on.workspace, { withEnded: false }), [])
      ok(!existsSync(on.file))
    })

  it('is refused for somebody whose last day comes before its end', async () => {
    const today = new Date().toISOString().slice(0, 10)
    await on.renew(today)
    await rejects(on.grant({ forMs: 2 * 86_400_000 }), ConflictError)
  })

  it('is given by the owner of the database alone, through a superuser of the server', async () => {
    const staff = await openUrl(on.server.url('staff'))
    const owner = await openUrl(on.server.url('owner'))
    try {
      await rejects(on.grant({}, { database: staff }), RefusedError)
      await rejects(on.grant({ servers: byDsn() }, { database: owner }), {
        code: 'superuser-needed',
      })
      const { role } = await on.grant({}, { database: owner })
      await (await on.logIn(role)).end()
    } finally {
      await staff.close()
      await owner.close()
    }
  })
})
