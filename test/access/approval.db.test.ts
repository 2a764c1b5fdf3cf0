import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { approveAccess } from '../../src/lib/access/grant/approve.js'
import { denyAccess } from '../../src/lib/access/grant/deny.js'
import { expireAccess, revokeAccess } from '../../src/lib/access/grant/end.js'
import { grantAccess, type Granted } from '../../src/lib/access/grant/grant.js'
import { listGrants } from '../../src/lib/access/grant/list.js'
import type { GrantOrder } from '../../src/lib/access/grant/order.js'
import { setPolicy, type PolicyOrder } from '../../src/lib/access/policy/set.js'
import { showPolicy } from '../../src/lib/access/policy/show.js'
import { systemClock } from '../../src/lib/clock.js'
import type { Database } from '../../src/lib/database/database.js'
import { ConflictError, PartialError, RefusedError, UsageError } from '../../src/lib/errors.js'
import { fileDelivery } from '../../src/lib/file-delivery.js'
import { addAccount } from '../../src/lib/staff/add.js'
import { listTrail } from '../../src/lib/trail/list.js'
import type { Workspace } from '../../src/lib/workspace.js'
import { byDsn, databaseUrl, HOMELESS, openUrl, testWorkspace } from '../support/database.js'
import { isLetIn } from '../support/login.js'
import { startServer, type TestServer } from '../support/server.js'

/** Ana and Cleo have the rights of the owner, Bea those of staff. */
const LOGINS = { ana: 'owner', bea: 'cleverctl_staff', cleo: 'owner' } as const
type Person = keyof typeof LOGINS

describe('access that a second member of staff has to approve', () => {
  let server: TestServer
  let folder: string
  let postgres: Workspace
  let owner: Workspace
  const people = {} as Record<Person, Workspace>
  const open: Database[] = []
  let count = 0

  const environment = HOMELESS
  const dsn = () => databaseUrl(server.cluster, 'cleverctl')
  const file = () => join(folder, `password-${count}`)
  const email = (person: Person) => `${person}@example.com`
  const order = (more: Partial<GrantOrder> = {}): GrantOrder => ({
    ...{
      email: email('cleo'),
      forMs: 7_200_000,
      reason: 'ticket 4711',
      isReadOnly: false,
      method: 'password',
    },
    ...{ databases: ['cleverctl'], servers: byDsn(dsn()), ...more },
  })
  const grant = (by: Workspace, more: Partial<GrantOrder> = {}) =>
    grantAccess(by, order(more), { delivery: fileDelivery(file()), environment })
  const approve = (by: Workspace, id: string) => approveAccess(by, { id, environment })
  const policy = (more: Partial<PolicyOrder>): PolicyOrder => ({
    ...{ longerThanMs: null, changing: false, databases: [], lapseAfterMs: 3_600_000 },
    ...{ isNever: false, ...more },
  })

  /** What was requested, seen in the error that says so. */
  async function requested(asked: Promise<unknown>): Promise<Granted> {
    const error = await asked.then(
      () => undefined,
      (reason: unknown) => reason,
    )
    ok(error instanceof PartialError, String(error))
    equal(error.code, 'approval-needed')
    return error.result as Granted
  }
  const logins = async () => {
    const { rows } = await server.administer(
      `select count(*)::int as count from pg_roles where rolname like 'cleverctl\\_g\\_%' and rolcanlogin`,
    )
    return (rows[0] as { count: number }).count
  }
  const opens = (role: string) =>
    isLetIn({
      ...{ port: server.port, role, database: 'cleverctl' },
      proof: { password: readFileSync(file(), 'utf8').trim() },
    })
  const openAs = async (url: string) => {
    const database = await openUrl(url)
    open.push(database)
    return testWorkspace(database, { clock: systemClock })
  }

  before(async () => {
    server = await startServer()
    folder = mkdtempSync(join(tmpdir(), 'cctl-approval-'))
    postgres = await openAs(dsn())
    owner = await openAs(server.url('owner'))
    for (const [person, group] of Object.entries(LOGINS) as [Person, string][]) {
      await server.administer(`create role ${person} login password '${person}' in role ${group}`)
      people[person] = await openAs(
        server.url('owner').replace(/\/\/owner:[^@]*@/, `//${person}:${person}@`),
      )
    }
  })
  beforeEach(async () => {
    count += 1
    for (const person of Object.keys(LOGINS) as Person[])
      await addAccount(postgres, {
        ...{ kind: 'staff', handle: email(person), description: person, owner: null },
        ...{ roleNames: [person], networks: ['127.0.0.1'], until: null, isReplaced: true },
      })
    await setPolicy(owner, policy({ longerThanMs: 3_600_000, databases: ['billing'] }))
  })
  afterEach(async () => {
    for (const person of Object.keys(LOGINS) as Person[])
      await revokeAccess(postgres, { email: email(person), environment })
  })
  after(async () => {
    for (const database of open) await database.close()
    await server.stop()
    rmSync(folder, { recursive: true })
  })

  it('is only requested: nothing is on the server, and the password opens nothing', async () => {
    const request = await requested(grant(people.ana))
    deepEqual(
      [request.outcome, request.state, request.requestedBy, request.approvedBy],
      ['requested', 'REQUESTED', email('ana'), null],
    )
    ok(existsSync(file()))
    equal(await logins(), 0)
    ok(!(await opens(request.role)))
    const again = await requested(grant(people.ana))
    deepEqual([again.outcome, again.id], ['unchanged', request.id])
    deepEqual(
      (await listGrants(people.bea, { withEnded: false })).map(({ id, state }) => [id, state]),
      [[request.id, 'REQUESTED']],
    )
  })

  it('is approved by nobody who asked for it, who is let in by it, or whom nobody knows', async () => {
    const { id } = await requested(grant(people.ana))
    for (const by of [people.ana, people.cleo])
      await rejects(approve(by, id), { name: 'RefusedError', code: 'second-person-needed' })
    for (const by of [owner, postgres])
      await rejects(approve(by, id), { name: 'RefusedError', code: 'person-unknown' })
    equal(await logins(), 0)
    equal((await listGrants(postgres, { withEnded: false }))[0]?.approvedBy, null)
  })

  it('cannot be had by writing into the table, not even by the owner', async () => {
    const { id } = await requested(grant(people.ana))
    const refused: [string, string][] = [
      [`state = 'PLANNED'`, 'access_grant_second_person'],
      [`state = 'ACTIVE'`, 'access_grant_second_person'],
      [`approved_by = account_id`, 'access_grant_stays'],
      [`requested_by = null, requested_as = null, lapses_at = null`, 'access_grant_stays'],
      [`ends_at = ends_at + interval '1 day'`, 'access_grant_stays'],
      [`databases = '{billing}'`, 'access_grant_stays'],
      [`verifier = 'SCRAM-SHA-256$1:x'`, 'access_grant_stays'],
    ]
    for (const [change, constraint] of refused)
      await rejects(
        people.ana.database.query(`update cleverctl.access_grant set ${change} where id = $1`, [
          id,
        ]),
        { constraint },
        change,
      )
    await rejects(
      people.ana.database.query(
        `insert into cleverctl.access_grant (account_id, role_name, servers, databases, is_read_only, reason,
           verifier, state, ends_at, granted_at)
         select id, 'mine', '{}', '{}', true, 'x', 'x', 'PLANNED', now() + interval '2 hours', now()
         from cleverctl.account where handle = $1`,
        [email('bea')],
      ),
      { constraint: 'access_grant_needs_approval' },
    )
    await rejects(approve(people.ana, id), RefusedError)
  })

  it('is put in force by who asked for it, once somebody without power has approved', async () => {
    const request = await requested(grant(people.ana))
    const approved = await approve(people.bea, request.id)
    deepEqual(
      [approved.outcome, approved.state, approved.approvedBy],
      ['approved', 'PLANNED', email('bea')],
    )
    equal(await logins(), 0)
    deepEqual((await approve(people.bea, request.id)).outcome, 'unchanged')
    const granted = await grant(people.ana)
    deepEqual([granted.outcome, granted.state], ['granted', 'ACTIVE'])
    equal(Date.parse(granted.endsAt) - Date.parse(granted.grantedAt), 7_200_000)
    ok(Date.parse(granted.grantedAt) >= Date.parse(request.grantedAt))
    ok(await opens(granted.role))
    const { steps: all } = await listTrail(postgres, { subject: email('cleo'), limit: 50 })
    const steps = all
      .filter(({ details }) => details['id'] === request.id)
      .map(({ action, phase, databaseRole }) => `${action} ${phase} ${databaseRole}`)
    deepEqual(steps.reverse(), [
      'access.request change ana',
      'access.approve change bea',
      'access.grant intent bea',
      'access.grant outcome ana',
    ])
  })

  it('is in force at once where who approves may change grants, and again it is unchanged', async () => {
    const { id, role } = await requested(grant(people.ana, { email: email('bea') }))
    const approved = await approve(people.cleo, id)
    deepEqual([approved.state, approved.approvedBy], ['ACTIVE', email('cleo')])
    deepEqual(
      approved.admissions.map(({ standing }) => standing),
      ['let in'],
    )
    ok(await opens(role))
    deepEqual((await approve(people.cleo, id)).outcome, 'unchanged')
  })

  it('is not needed for what the policy does not name', async () => {
    const granted = await grant(people.ana, { forMs: 3_600_000 })
    deepEqual([granted.outcome, granted.requestedBy, granted.lapsesAt], ['granted', null, null])
    await rejects(approve(people.bea, granted.id), { code: 'approval-not-needed' })
    await rejects(denyAccess(people.bea, { id: granted.id, reason: 'no' }), ConflictError)
    await revokeAccess(postgres, { email: email('cleo'), environment })
    await setPolicy(owner, policy({ changing: true }))
    count += 1
    equal((await grant(people.ana, { isReadOnly: true })).outcome, 'granted')
  })

  it('comes to nothing when it is denied, revoked, or has waited too long', async () => {
    const first = await requested(grant(people.ana))
    const denied = await denyAccess(people.bea, { id: first.id, reason: 'use the replica' })
    deepEqual([denied.outcome, denied.state, denied.endReason], ['denied', 'ENDED', 'denied'])
    equal((await denyAccess(people.ana, { id: first.id, reason: 'again' })).outcome, 'unchanged')
    await rejects(approve(people.bea, first.id), { code: 'request-over' })

    count += 1
    const second = await requested(grant(people.ana))
    const { grants } = await revokeAccess(postgres, { email: email('cleo'), environment })
    deepEqual(
      grants.map(({ id, outcome, endReason }) => [id, outcome, endReason]),
      [[second.id, 'ended', 'revoked']],
    )

    count += 1
    const third = await requested(grant(people.ana))
    deepEqual(await expireAccess(postgres, { environment }), { grants: [] })
    const later = { ...postgres, clock: { now: () => new Date(Date.parse(third.lapsesAt ?? '')) } }
    deepEqual(
      (await expireAccess(later, { environment })).grants.map(({ endReason }) => endReason),
      ['lapsed'],
    )
    const { rows } = await server.administer(
      'select count(verifier)::int as kept from cleverctl.access_grant where id in ($1, $2, $3)',
      [first.id, second.id, third.id],
    )
    deepEqual(rows, [{ kept: 0 }])
  })

  it('is not approved any more after it lapsed, or when a person is off the list', async () => {
    const { id } = await requested(grant(people.ana))
    const leave = (person: Person, until: string | null) =>
      addAccount(postgres, {
        ...{ kind: 'staff', handle: email(person), description: person, owner: null },
        ...{ roleNames: [person], networks: ['127.0.0.1'], until, isReplaced: true },
      })
    await leave('ana', '2020-01-01')
    await rejects(approve(people.bea, id), { code: 'staff-not-valid' })
    await leave('ana', null)
    await leave('bea', '2020-01-01')
    await rejects(approve(people.bea, id), { code: 'person-unknown' })
    await leave('bea', null)
    await postgres.database.transaction(async (transaction) => {
      await transaction.query('set local session_replication_role = replica')
      await transaction.query('update cleverctl.access_grant set lapses_at = now() where id = $1', [
        id,
      ])
    })
    await rejects(approve(people.bea, id), { code: 'request-lapsed' })
  })

  it('is requested by nobody whom the list does not know', async () => {
    await rejects(grant(owner), { name: 'RefusedError', code: 'person-unknown' })
    ok(!existsSync(file()))
    deepEqual(await listGrants(postgres, { withEnded: false }), [])
  })

  it('follows a policy that the owner alone sets, and that two people can keep', async () => {
    equal((await setPolicy(owner, policy({ longerThanMs: 0 }))).outcome, 'set')
    const shown = await setPolicy(owner, policy({ longerThanMs: 0 }))
    equal(shown.outcome, 'unchanged')
    deepEqual(
      [shown.longerThanMs, shown.lapseAfterMs, shown.approvers],
      [0, 3_600_000, [email('ana'), email('bea'), email('cleo')]],
    )
    await rejects(setPolicy(people.bea, policy({ isNever: true })), RefusedError)
    await rejects(setPolicy(owner, policy({})), UsageError)
    await rejects(setPolicy(owner, policy({ isNever: true, changing: true })), UsageError)
    await rejects(setPolicy(owner, policy({ changing: true, lapseAfterMs: 1 })), UsageError)
    await server.administer('alter role bea nologin')
    await server.administer('alter role cleo nologin')
    try {
      await rejects(setPolicy(owner, policy({ changing: true })), { code: 'too-few-people' })
    } finally {
      await server.administer('alter role bea login')
      await server.administer('alter role cleo login')
    }
    equal((await showPolicy(people.bea)).longerThanMs, 0)
    const never = await setPolicy(owner, policy({ isNever: true }))
    deepEqual([never.longerThanMs, never.changing, never.databases], [null, false, []])
  })
})
