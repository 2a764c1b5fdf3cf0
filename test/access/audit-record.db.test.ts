import { deepEqual, equal } from 'node:assert/strict'
import { recordAudit } from '../../src/lib/access/audit/record.js'
import type {
  AcceptedFinding,
  AccessAudit,
  AccessFinding,
} from '../../src/lib/access/audit/types.js'
import type { Workspace } from '../../src/lib/workspace.js'
import { freshDatabase, silentLog, testWorkspace, type FreshDatabase } from '../support/database.js'
import { roleDatabase } from '../support/roles.js'

const finding = (more: Partial<AccessFinding> = {}): AccessFinding => ({
  ...{ rule: 'superuser', severity: 'high', host: 'db1', subject: 'role dba', who: 'nobody' },
  ...{ evidence: 'it is one', fix: 'alter role', undo: 'alter role back' },
  ...more,
})
const accepted = (more: Partial<AccessFinding> = {}): AcceptedFinding => ({
  ...finding(more),
  acceptance: { id: '1', owner: 'ana@example.com', reason: 'x', until: '2026-12-31' },
})

describe('audits that are kept', () => {
  let fresh: FreshDatabase
  let workspace: Workspace

  const record = async (day: string, more: Partial<AccessAudit> = {}, isProbing = false) => {
    const audit: AccessAudit = {
      ...{ findings: [], accepted: [], notChecked: [], checkedAt: `${day}T12:00:00.000Z` },
      hosts: [{ host: 'db1', isStandby: false, version: 150_000 }],
      ...more,
    }
    await recordAudit(workspace, audit, { isProbing })
  }
  /** Each finding as it stood: rule, server, accepted or not, days of its beginnings and its end, why it ended. */
  const kept = async () => {
    const { rows } = await fresh.database.query<Record<string, string | boolean | null>>(
      `select rule, host, is_accepted, to_char(first_seen_at at time zone 'UTC', 'MM-DD') as first,
         to_char(since at time zone 'UTC', 'MM-DD') as since,
         to_char(ended_at at time zone 'UTC', 'MM-DD') as ended, ending
       from cleverctl.access_finding order by host collate "C", rule collate "C", access_finding.since`,
    )
    return rows.map((row) => Object.values(row).join(' '))
  }

  beforeEach(async () => {
    fresh = await freshDatabase()
    workspace = testWorkspace(fresh.database)
  })
  afterEach(() => fresh.drop())

  it('tell when a finding was first seen, and when it was gone', async () => {
    await record('2026-06-01', { findings: [finding()] })
    await record('2026-06-02', { findings: [finding({ severity: 'critical' })] })
    await record('2026-06-03')
    await record('2026-06-04', { findings: [finding()] })
    deepEqual(await kept(), [
      'superuser db1 false 06-01 06-01 06-03 gone',
      'superuser db1 false 06-04 06-04  ',
    ])
  })

  it('tell from when on somebody answered for a finding', async () => {
    await record('2026-06-01', { findings: [finding()] })
    await record('2026-06-02', { accepted: [accepted()] })
    await record('2026-06-03', { accepted: [accepted()] })
    await record('2026-06-04', { findings: [finding()] })
    deepEqual(await kept(), [
      'superuser db1 false 06-01 06-01 06-02 accepted',
      'superuser db1 true 06-01 06-02 06-04 counts-again',
      'superuser db1 false 06-01 06-04  ',
    ])
  })

  it('take for gone only what was asked about', async () => {
    await record(
      '2026-06-01',
      {
        findings: [
          finding(),
          finding({ rule: 'no-tls' }),
          finding({ rule: 'probe-nobody' }),
          finding({ host: 'db2' }),
        ],
      },
      true,
    )
    await record('2026-06-02', { notChecked: [{ rule: 'no-tls', host: 'db1', reason: 'x' }] })
    await record('2026-06-03', {
      hosts: [],
      notChecked: [{ rule: 'all', host: 'db2', reason: 'out of reach' }],
    })
    deepEqual(await kept(), [
      'no-tls db1 false 06-01 06-01  ',
      'probe-nobody db1 false 06-01 06-01  ',
      'superuser db1 false 06-01 06-01 06-02 gone',
      'superuser db2 false 06-01 06-01  ',
    ])
    await record('2026-06-04', {}, true)
    equal((await kept())[1], 'probe-nobody db1 false 06-01 06-01 06-04 gone')
  })

  it('are forgotten after two years, and findings two years after they ended', async () => {
    await record('2024-01-01', { findings: [finding()] })
    await record('2024-01-02', { findings: [finding({ rule: 'no-tls' })] })
    await record('2026-01-01', { findings: [finding({ rule: 'no-tls' })] })
    equal((await kept()).length, 2)
    await record('2026-01-03', { findings: [finding({ rule: 'no-tls' })] })
    deepEqual(await kept(), ['no-tls db1 false 01-02 01-02  '])
    const { rows } = await fresh.database.query<{ count: number }>(
      'select count(*)::integer from cleverctl.access_audit',
    )
    equal(rows[0]?.count, 2)
  })

  it('forget nothing for a clock that goes ahead', async () => {
    await record('2026-01-01', { findings: [finding()] })
    await record('2099-01-01')
    const { rows } = await fresh.database.query<{ count: number }>(
      `select count(*)::integer from cleverctl.access_audit where at < now() + interval '1 day'`,
    )
    equal(rows[0]?.count, 2)
  })

  it('are counted by severity, with who kept them and a line in the trail', async () => {
    await record('2026-06-01', {
      findings: [finding(), finding({ rule: 'no-tls', severity: 'medium' })],
      accepted: [accepted({ rule: 'idle-slot' })],
    })
    const { rows } = await fresh.database.query(
      `select critical, high, medium, accepted, recorded_by = session_user as mine, action, details->>'findings' as told
       from cleverctl.access_audit, cleverctl.trail where subject = 'audit ' || access_audit.id`,
    )
    deepEqual(rows, [
      {
        critical: 0,
        high: 1,
        medium: 1,
        accepted: 1,
        mine: true,
        action: 'access.audit',
        told: '2',
      },
    ])
  })

  it('are kept for staff; an auditor, who only reads, is told that nothing is kept', async () => {
    const told: string[] = []
    const log = { ...silentLog, info: (message: string) => void told.push(message) }
    for (const group of ['cleverctl_staff', 'cleverctl_auditor'] as const) {
      const role = await roleDatabase(fresh, group)
      const former = workspace
      workspace = { ...workspace, database: role.database, log }
      try {
        await record('2026-06-01', { findings: [finding({ rule: group })] })
      } finally {
        await role.close()
        workspace = former
      }
    }
    deepEqual(await kept(), ['cleverctl_staff db1 false 06-01 06-01  '])
    deepEqual(told, [
      'this audit is not kept for reports: your role only reads the cleverctl database',
    ])
  })
})
