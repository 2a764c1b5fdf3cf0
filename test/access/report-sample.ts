import type { AccessReport } from '../../src/lib/access/report/types.js'

const DAYS = Array.from(
  { length: 30 },
  (_, index) => `2026-06-${String(index + 1).padStart(2, '0')}`,
)
const HOSTILE = `<img src=x onerror="document.title='taken'">${'long'.repeat(40)}`

/** A report with a month in it, long enough for several pages of paper, and hostile where clients choose the text. */
export function sampleReport(): AccessReport {
  const finding = (index: number): AccessReport['findings']['open']['rows'][number] => ({
    rule: ['superuser', 'no-tls', 'idle-slot'][index % 3] ?? '',
    severity: (['critical', 'high', 'medium'] as const)[index % 3] ?? 'high',
    host: `postgres://auditor@db${index % 3}.example.com:5432/postgres`,
    subject: index === 0 ? HOSTILE : `role engineer_${index}`,
    who: index % 2 === 0 ? 'nobody' : `engineer-${index}@example.com`,
    evidence: `role engineer_${index} is superuser and may come from 10.77.0.0/24 over the network`,
    fix: `alter role "engineer_${index}" nosuperuser`,
    undo: `alter role "engineer_${index}" superuser`,
    firstSeenAt: '2026-06-03T12:00:00.000Z',
    lastSeenAt: '2026-06-30T12:00:00.000Z',
  })
  const open = Array.from({ length: 40 }, (_, index) => finding(index))
  return {
    since: '2026-06-01T00:00:00.000Z',
    until: '2026-06-30T18:00:00.000Z',
    database: 'postgres://cleverctl@db1.example.com:5432/cleverctl',
    sessions: {
      recordedSince: '2026-06-01T00:00:00.000Z',
      total: 4321,
      flagged: 12,
      step: 'day',
      overTime: DAYS.map((from, day) => ({
        from,
        expected: 120 + ((day * 37) % 50),
        flagged: day % 9 === 4 ? 8 : 0,
        refused: day % 4,
      })),
      people: {
        total: 2,
        rows: ['ana@example.com', null].map((who, index) => ({
          ...{ who, sessions: 100, refused: index, flagged: index, places: 5 },
          ...{ addresses: ['10.77.0.1', 'unix socket'], lastAt: '2026-06-30T12:00:00.000Z' },
        })),
      },
      latest: {
        total: 4321,
        rows: [HOSTILE, 'psql'].map((application, index) => ({
          ...{ who: 'ana@example.com', role: 'ana', database: 'fleet', application, method: null },
          ...{ rule: null, address: '10.77.0.1', tls: 'TLSv1.3', replication: false, end: null },
          ...{ start: '2026-06-30T12:00:00.000Z', outcome: 'ended', failure: null, server: 'db1' },
          flags: index === 0 ? ['first-application', 'outside-hours'] : [],
          id: `6a.${index}`,
        })),
      },
      ledger: {
        ...{ rows: 9000, head: { seq: 9000, hash: 'cd'.repeat(32) }, problems: [] },
        ...{ unlistedProblems: 0, isSound: true },
      },
    },
    findings: {
      audits: 27,
      gone: 4,
      step: 'day',
      overTime: DAYS.map((from, day) => ({
        from,
        open:
          day < 2
            ? null
            : { critical: 14 - (day % 4), high: 13, medium: 10 + (day % 3), accepted: 2 },
      })),
      open: { rows: open, total: 1234 },
      counts: { critical: 14, high: 13, medium: 13 },
      servers: ['db1', 'db2', 'db3'].map((host) => ({
        host: `postgres://auditor@${host}.example.com:5432/postgres`,
        isStandby: host !== 'db1',
        version: 150_000,
        auditedAt: '2026-06-30T12:00:00.000Z',
        recordedBy: 'engineer',
      })),
      notChecked: [{ rule: 'all', host: 'db3', reason: 'no route to host' }],
    },
    acceptances: [
      {
        ...{
          id: '1',
          rule: 'superuser',
          subject: 'role dba',
          host: null,
          owner: 'ana@example.com',
        },
        ...{ reason: 'break glass, in the safe', until: '2026-12-31', state: 'valid' },
        ...{ acceptedAt: '2026-06-01T12:00:00.000Z', withdrawnAt: null },
      },
    ],
    grants: {
      total: 2,
      rows: (['ACTIVE', 'ENDED'] as const).map((state, index) => ({
        ...{
          id: String(index),
          email: 'ana@example.com',
          role: `cleverctl_g_${index}`,
          servers: [],
        },
        ...{ databases: ['fleet'], readOnly: true, method: 'password' as const, state },
        reason: 'ticket 4711',
        ...{ grantedAt: '2026-06-30T16:30:00.000Z', endsAt: '2026-06-30T18:30:00.000Z' },
        endedAt: state === 'ENDED' ? '2026-06-30T18:30:00.000Z' : null,
        endReason: state === 'ENDED' ? 'expired' : null,
        ...{ grantedBy: 'ben@laptop', requestedBy: 'ana@example.com', lapsesAt: null },
        approvedBy: 'ben@example.com',
      })),
    },
    drills: {
      total: 2,
      rows: (['proven', 'failed'] as const).map((result) => ({
        ...{ kind: 'backup', stanza: 'main', host: 'bak1', subject: '20260629-010000F', result },
        ...{ endedAt: '2026-06-29T03:00:00.000Z', trailRow: 4711 },
      })),
    },
    copies: { total: 0, rows: [] },
    trail: {
      ...{ rows: 5000, head: { seq: 5000, hash: 'ab'.repeat(32) }, problems: [] },
      ...{ unlistedProblems: 0, isSound: true },
    },
    files: [],
  }
}
