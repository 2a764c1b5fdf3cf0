import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { acceptFinding, type AcceptanceOrder } from '../../src/lib/access/acceptance/accept.js'
import { listAcceptances } from '../../src/lib/access/acceptance/list.js'
import { withdrawAcceptance } from '../../src/lib/access/acceptance/withdraw.js'
import { auditAccess } from '../../src/lib/access/audit/audit.js'
import type { AccessAudit } from '../../src/lib/access/audit/types.js'
import {
  ConflictError,
  ExpectedError,
  NotFoundError,
  RefusedError,
  UsageError,
} from '../../src/lib/errors.js'
import { addAccount } from '../../src/lib/staff/add.js'
import { removeAccount } from '../../src/lib/staff/remove.js'
import type { Workspace } from '../../src/lib/workspace.js'
import {
  freshDatabase,
  testClock,
  testWorkspace,
  type FreshDatabase,
  type TestClock,
  byDsn,
} from '../support/database.js'
import { roleDatabase } from '../support/roles.js'

describe('findings that somebody answers for', () => {
  let fresh: FreshDatabase
  let workspace: Workspace
  let clock: TestClock
  let subject: string

  const order = (more: Partial<AcceptanceOrder> = {}): AcceptanceOrder => ({
    ...{ rule: 'role-nobody', subject, host: null },
    ...{ owner: 'ana@example.com', reason: 'break glass', until: '2026-06-30' },
    ...more,
  })
  const person = async (handle: string, until: string | null = null) => {
    await addAccount(workspace, {
      ...{ kind: 'staff', handle, description: 'x', owner: null, networks: [], until },
      ...{ roleNames: [handle.split('@')[0] ?? ''], isReplaced: true },
    })
  }
  const audit = async (): Promise<AccessAudit> => {
    const asked = {
      ...{ servers: byDsn(), environment: {}, failOn: 'critical' as const, isProbing: false },
      ...{ sarif: undefined, junit: undefined },
    }
    return auditAccess(workspace, asked).catch((error: unknown) => {
      if (error instanceof ExpectedError && error.result) return error.result as AccessAudit
      throw error
    })
  }
  /** Whether the stranger counts, and is accepted. */
  const standing = async () => {
    const { findings, accepted } = await audit()
    const ofStranger = <Item extends { rule: string; subject: string }>(items: Item[]) =>
      items.filter((item) => item.rule === 'role-nobody' && item.subject === subject).length
    return [ofStranger(findings), ofStranger(accepted)]
  }

  beforeEach(async () => {
    fresh = await freshDatabase()
    clock = testClock()
    workspace = testWorkspace(fresh.database, { clock })
    const { rows } = await fresh.database.query<{ name: string }>(
      `select 'stranger_' || (random() * 1e9)::int as name`,
    )
    subject = `role ${rows[0]?.name}`
    await fresh.database.query(`create ${subject} login`)
    await person('ana@example.com')
  })
  afterEach(async () => {
    await fresh.database.query(`drop ${subject}`)
    await fresh.drop()
  })

  it('count no more until the end of the last day, and then again', async () => {
    deepEqual(await standing(), [1, 0])
    equal((await acceptFinding(workspace, order())).outcome, 'accepted')
    deepEqual(await standing(), [0, 1])
    clock.set('2026-06-30T23:59:59Z')
    deepEqual(await standing(), [0, 1])
    clock.set('2026-07-01T00:00:00Z')
    deepEqual(await standing(), [1, 0])
    deepEqual(
      (await listAcceptances(workspace, { withWithdrawn: false })).map(({ state }) => state),
      ['over'],
    )
  })

  it('count again when nobody on the list answers for them any more', async () => {
    await acceptFinding(workspace, order())
    await removeAccount(workspace, { kind: 'staff', handle: 'ana@example.com' })
    deepEqual(await standing(), [1, 0])
    await person('ben@example.com')
    await acceptFinding(workspace, order({ owner: 'Ben@example.com' }))
    deepEqual(await standing(), [0, 1])
  })

  it('count again when the acceptance is withdrawn, once', async () => {
    const { id } = await acceptFinding(workspace, order())
    equal((await withdrawAcceptance(workspace, id)).outcome, 'withdrawn')
    equal((await withdrawAcceptance(workspace, id)).outcome, 'unchanged')
    deepEqual(await standing(), [1, 0])
  })

  it('count at other servers than the one that is named, and other findings do', async () => {
    await acceptFinding(workspace, order({ host: 'postgres://elsewhere:5432/x' }))
    await acceptFinding(workspace, order({ rule: 'superuser' }))
    deepEqual(await standing(), [1, 0])
    const [{ host } = { host: '' }] = (await audit()).hosts
    await acceptFinding(workspace, order({ host }))
    deepEqual(await standing(), [0, 1])
  })

  it('are accepted once: the same again changes nothing, something else is refused', async () => {
    await acceptFinding(workspace, order())
    equal((await acceptFinding(workspace, order())).outcome, 'unchanged')
    await rejects(acceptFinding(workspace, order({ until: '2027-01-01' })), ConflictError)
    clock.set('2026-08-01T00:00:00Z')
    equal((await acceptFinding(workspace, order({ until: '2027-01-01' }))).outcome, 'accepted')
    const all = await listAcceptances(workspace, { withWithdrawn: true })
    deepEqual(
      all.map(({ state }) => state),
      ['withdrawn', 'valid'],
    )
  })

  const bad: [what: string, more: Partial<AcceptanceOrder>, error: typeof ExpectedError][] = [
    ['a rule that is none', { rule: 'no-rule' }, UsageError],
    ['a day that is past', { until: '2026-05-31' }, UsageError],
    ['a day that is none', { until: 'soon' }, UsageError],
    ['no reason', { reason: '' }, UsageError],
    ['no subject', { subject: ' ' }, UsageError],
    ['an owner whom nobody knows', { owner: 'nobody@example.com' }, NotFoundError],
  ]
  for (const [what, more, error] of bad)
    it(`are not accepted with ${what}`, async () => {
      await rejects(acceptFinding(workspace, order(more)), error)
      deepEqual(await listAcceptances(workspace, { withWithdrawn: true }), [])
    })

  it('are not accepted by an owner whose own last day is past', async () => {
    await person('ana@example.com', '2026-05-31')
    await rejects(acceptFinding(workspace, order()), ConflictError)
  })

  it('are accepted by the owner of the database alone', async () => {
    const { id } = await acceptFinding(workspace, order())
    const staff = await roleDatabase(fresh, 'cleverctl_staff')
    try {
      const theirs = { ...workspace, database: staff.database }
      await rejects(acceptFinding(theirs, order({ rule: 'superuser' })), RefusedError)
      await rejects(withdrawAcceptance(theirs, id), RefusedError)
      equal((await listAcceptances(theirs, { withWithdrawn: false })).length, 1)
    } finally {
      await staff.close()
    }
  })

  it('leave a line in the trail', async () => {
    const { id } = await acceptFinding(workspace, order())
    await withdrawAcceptance(workspace, id)
    const { rows } = await fresh.database.query<{ action: string; details: object }>(
      `select action, details from cleverctl.trail where action like 'access.%' order by seq`,
    )
    deepEqual(
      rows.map(({ action }) => action),
      ['access.accept', 'access.withdraw'],
    )
    ok(JSON.stringify(rows[0]?.details).includes('break glass'))
  })
})
