import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { acceptFinding } from '../../src/lib/access/acceptance/accept.js'
import { recordAudit } from '../../src/lib/access/audit/record.js'
import type { AccessFinding } from '../../src/lib/access/audit/types.js'
import { toCsv } from '../../src/lib/access/report/csv.js'
import { reportAccess } from '../../src/lib/access/report/report.js'
import type { AccessReport } from '../../src/lib/access/report/types.js'
import { FindingsError, UsageError } from '../../src/lib/errors.js'
import { appendSessions } from '../../src/lib/access/sessions/ledger/store.js'
import type { ShownSession } from '../../src/lib/access/sessions/types.js'
import { addAccount } from '../../src/lib/staff/add.js'
import { appendTrail } from '../../src/lib/trail/append.js'
import type { Workspace } from '../../src/lib/workspace.js'
import { freshDatabase, testClock, testWorkspace, type FreshDatabase } from '../support/database.js'
import { roleDatabase } from '../support/roles.js'

const HOSTILE = `<script>alert('x')</script>&"\u202e`
const DAY_MS = 86_400_000

const finding = (more: Partial<AccessFinding>): AccessFinding => ({
  ...{ rule: 'superuser', severity: 'high', host: 'db1', subject: 'role dba', who: 'nobody' },
  ...{ evidence: 'it is one', fix: 'alter role dba nosuperuser', undo: 'alter role dba superuser' },
  ...more,
})

describe('a report of access', () => {
  let fresh: FreshDatabase
  let workspace: Workspace
  let folder: string
  const clock = testClock('2026-06-10T12:00:00Z')

  const audit = async (checkedAt: string, findings: AccessFinding[], host = 'db1') => {
    const hosts = [{ host, isStandby: host !== 'db1', version: 150_000 }]
    const gap = { rule: 'log-form', host, reason: 'cannot read settings' }
    const seen = findings.map((each) => ({ ...each, host }))
    const found = { findings: seen, accepted: [], notChecked: [gap], hosts, checkedAt }
    await recordAudit(workspace, found, { isProbing: true })
  }
  const report = async (
    more: { limit?: number; sinceMs?: number } & Partial<
      Record<'html' | 'csv' | 'sarif' | 'junit', string>
    > = {},
    database = fresh.database,
  ): Promise<AccessReport> => {
    const { limit = 100, sinceMs = 9 * DAY_MS, ...places } = more
    const nowhere = { html: undefined, csv: undefined, sarif: undefined, junit: undefined }
    const files = { ...nowhere, ...places, folder, version: '1.2.3' }
    return reportAccess({ ...workspace, database }, { limit, sinceMs, files })
  }

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'cctl-report-'))
    fresh = await freshDatabase()
    workspace = testWorkspace(fresh.database, { clock })
    await addAccount(workspace, {
      ...{ kind: 'staff', handle: 'ana@example.com', description: 'Ana', owner: null, until: null },
      ...{ networks: [], roleNames: ['ana'], isReplaced: false },
    })
    await audit('2026-06-03T12:00:00.000Z', [
      finding({}),
      finding({ rule: 'weak-method', severity: 'critical', subject: 'line 3' }),
    ])
    await audit('2026-06-05T12:00:00.000Z', [
      finding({}),
      finding({ rule: 'no-delay', severity: 'medium', subject: HOSTILE, evidence: HOSTILE }),
    ])
    await audit('2026-06-06T12:00:00.000Z', [finding({ rule: 'no-tls' })], 'db2')
    await acceptFinding(workspace, {
      ...{ rule: 'superuser', subject: 'role dba', host: null, owner: 'ana@example.com' },
      ...{ reason: HOSTILE, until: '2026-07-01' },
    })
    await fresh.database.query(
      `insert into cleverctl.access_grant (account_id, role_name, servers, databases, is_read_only, reason, verifier,
         state, ends_at, granted_at, ended_at, end_reason)
       select id, 'cleverctl_g_' || granted_at::date, '{}', '{fleet}', true, 'ticket 4711', verifier, state,
         granted_at + interval '2 h', granted_at, ended_at, case when state = 'ENDED' then 'expired' end
       from cleverctl.account, (values
         ('ENDED', null, timestamptz '2026-05-01', timestamptz '2026-05-02'),
         ('ENDED', null, '2026-05-31', '2026-06-02'),
         ('ACTIVE', 'v', '2026-06-10 11:00+00', null)
       ) as given (state, verifier, granted_at, ended_at)`,
    )
    const session = (number: number, more: Partial<ShownSession>) => ({
      log: 'pg.json',
      session: {
        ...{ who: 'ana@example.com', role: 'ana', database: 'fleet', application: HOSTILE },
        ...{ method: 'scram-sha-256', rule: 'hba:3', address: `10.77.0.${number}`, tls: 'TLSv1.3' },
        ...{ replication: false, start: `2026-06-0${number}T10:00:00.000Z`, end: null },
        ...{ outcome: 'open' as const, failure: null, flags: [], server: 'db1' },
        ...{ id: `6a.${number}`, ...more },
      },
    })
    await fresh.database.transaction((transaction) =>
      appendSessions(transaction, [
        ...[1, 2, 3, 4, 5].map((number) => session(number, {})),
        session(6, { flags: ['outside-hours'] }),
        session(6, { id: '6a.7', who: null, outcome: 'refused' }),
        session(6, { id: '6a.8', start: '2026-01-01T00:00:00.000Z', outcome: 'ended' }),
      ]),
    )
    await fresh.database.transaction(async (transaction) => {
      await transaction.query(
        `insert into cleverctl.drill (kind, stanza, host, subject, result, begun_at, ended_at) values
           ('backup', 'main', 'bak1', '20260604F', 'proven', '2026-06-04T10:00Z', '2026-06-04T11:00Z'),
           ('backup', 'main', 'bak1', '20260501F', 'failed', '2026-05-01T10:00Z', '2026-05-01T11:00Z')`,
      )
      await transaction.query(
        `insert into cleverctl.backup_count (stanza, label, host, system_identifier, timeline, lsn, tables, counted_at)
         values ('main', '20260604F', 'db2', '1', 1, '0/1', '[1, 2, 3]', '2026-06-04T09:00Z')`,
      )
      await appendTrail(transaction, workspace.actor, {
        ...{ action: 'backup.drill', subject: 'main', phase: 'outcome' },
        details: { label: '20260604F', begunAt: '2026-06-04T10:00:00.000Z' },
      })
    })
  })
  after(async () => {
    await fresh.drop()
    rmSync(folder, { recursive: true })
  })

  it('tells how many findings stood at the end of each day, and nothing of days before the first audit', async () => {
    const { findings } = await report()
    deepEqual(
      findings.overTime.map(({ from, open }) => [from, open && Object.values(open).join(' ')]),
      [
        ['2026-06-01', null],
        ['2026-06-02', null],
        ['2026-06-03', '1 1 0 0'],
        ['2026-06-04', '1 1 0 0'],
        ['2026-06-05', '0 1 1 0'],
        ['2026-06-06', '0 2 1 0'],
        ['2026-06-07', '0 2 1 0'],
        ['2026-06-08', '0 2 1 0'],
        ['2026-06-09', '0 2 1 0'],
        ['2026-06-10', '0 2 1 0'],
      ],
    )
    deepEqual(findings.counts, { critical: 0, high: 2, medium: 1 })
    deepEqual([findings.audits, findings.gone], [3, 1])
  })

  it('tells who was in, from where and when, and what stands out', async () => {
    const { sessions } = await report({ limit: 3 })
    deepEqual([sessions.total, sessions.flagged, sessions.ledger.isSound], [6, 1, true])
    deepEqual(
      sessions.overTime.map(({ expected, flagged, refused }) =>
        [expected, flagged, refused].join(' '),
      ),
      ['0 0 0', '1 0 0', '1 0 0', '1 0 0', '1 0 0', '0 1 1', '0 0 0', '0 0 0', '0 0 0', '0 0 0'],
    )
    deepEqual(
      sessions.people.rows.map(({ lastAt: _lastAt, addresses, ...person }) => [
        ...Object.values(person),
        addresses.length,
      ]),
      [
        ['ana@example.com', 5, 0, 1, 5, 3],
        [null, 0, 1, 0, 1, 1],
      ],
    )
    equal(sessions.latest.rows.length, 3)
    ok(sessions.latest.rows.some(({ flags }) => flags.includes('outside-hours')))
  })

  it('tells longer times in weeks and months', async () => {
    equal((await report({ sinceMs: 90 * DAY_MS })).findings.step, 'week')
    const { findings } = await report({ sinceMs: 700 * DAY_MS })
    deepEqual([findings.step, findings.overTime.at(-1)?.from], ['month', '2026-06-01'])
  })

  it('lists what stands, the gravest first, no more than asked for, and counts the rest', async () => {
    const { findings } = await report({ limit: 2 })
    deepEqual(
      findings.open.rows.map(({ rule, host, firstSeenAt }) => [
        rule,
        host,
        firstSeenAt.slice(0, 10),
      ]),
      [
        ['superuser', 'db1', '2026-06-03'],
        ['no-tls', 'db2', '2026-06-06'],
      ],
    )
    equal(findings.open.total, 3)
  })

  it('names the servers and what the last audit of each could not check', async () => {
    const { servers, notChecked } = (await report()).findings
    deepEqual(
      servers.map(({ host, isStandby, auditedAt }) => [host, isStandby, auditedAt.slice(0, 10)]),
      [
        ['db1', false, '2026-06-05'],
        ['db2', true, '2026-06-06'],
      ],
    )
    deepEqual(
      notChecked.map(({ host, rule }) => [host, rule]),
      [
        ['db1', 'log-form'],
        ['db2', 'log-form'],
      ],
    )
  })

  it('has the grants of its time, the drills with their row in the trail, and the accepted risks', async () => {
    const { grants, drills, copies, acceptances } = await report()
    deepEqual(
      grants.rows.map(({ state, grantedAt }) => [state, grantedAt.slice(0, 10)]),
      [
        ['ACTIVE', '2026-06-10'],
        ['ENDED', '2026-05-31'],
      ],
    )
    equal(drills.total, 1)
    ok((drills.rows[0]?.trailRow ?? 0) > 0)
    deepEqual(
      copies.rows.map(({ subject, content, provenAt }) => [subject, content, provenAt]),
      [['20260604F', '3 tables counted on db2', '2026-06-04T11:00:00.000Z']],
    )
    deepEqual(
      acceptances.map(({ state, until }) => [state, until]),
      [['valid', '2026-07-01']],
    )
  })

  it('can be made by an auditor, who only reads', async () => {
    const auditor = await roleDatabase(fresh, 'cleverctl_auditor')
    try {
      equal((await report({}, auditor.database)).findings.counts.high, 2)
    } finally {
      await auditor.close()
    }
  })

  it('is written into files that nobody else can read, in the place of former ones', async () => {
    const html = join(folder, 'report.html')
    const csv = join(folder, 'lists')
    for (const limit of [1, 100]) {
      const { files } = await report({ html, csv, limit })
      equal(files.length, 9)
      for (const file of files) equal(statSync(file).mode & 0o777, 0o600)
    }
    deepEqual(readdirSync(folder).sort(), ['lists', 'report.html'])
    const lines = readFileSync(join(csv, 'findings.csv'), 'utf8').split('\r\n')
    equal(lines.length, 5)
    match(lines[1] ?? '', /^high,superuser,db1,role dba,nobody,2026-06-03T12:00:00\.000Z,/)
  })

  it('lets no stored text become markup, reorder the page or run in a spreadsheet', async () => {
    const html = join(folder, 'hostile.html')
    await report({ html })
    const text = readFileSync(html, 'utf8')
    ok(text.includes('&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;&quot;\\u202e'))
    ok(!/<script|\u202e|javascript:|style="|\son\w+=|(?:src|href)="(?!#)/.test(text))
    equal(
      toCsv([['=cmd', '-1', 'a"b', 'a,b', 'a\nb', null, 5]]),
      `'=cmd,'-1,"a""b","a,b",a\\nb,,5\r\n`,
    )
  })

  it('leaves no finding out of SARIF and JUnit, however few are listed', async () => {
    const sarif = join(folder, 'report.sarif')
    const junit = join(folder, 'report.xml')
    await report({ sarif, junit, limit: 1 })
    const { runs } = JSON.parse(readFileSync(sarif, 'utf8')) as { runs: { results: unknown[] }[] }
    equal(runs[0]?.results.length, 3)
    match(readFileSync(junit, 'utf8'), /failures="3"/)
  })

  it('writes nothing where a file cannot be', async () => {
    await rejects(report({ html: folder }), UsageError)
    await rejects(report({ csv: join(folder, 'none'), html: '/nowhere/x.html' }), UsageError)
    ok(!readdirSync(folder).includes('none'))
  })

  it('says that the trail is broken, and is made all the same', async () => {
    const html = join(folder, 'broken.html')
    await fresh.database.query('alter table cleverctl.trail disable trigger all')
    await fresh.database.query(`update cleverctl.trail set subject = 'x' where seq = 1`)
    await rejects(report({ html }), (error) => {
      ok(error instanceof FindingsError)
      const { trail } = error.result as AccessReport
      return !trail.isSound && trail.problems.length > 0
    })
    match(readFileSync(html, 'utf8'), /broken<\/span>: changed by other hands/)
  })
})
