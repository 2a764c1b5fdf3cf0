import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import pg from 'pg'
import { auditAccess } from '../../src/lib/access/audit/audit.js'
import type { AccessAudit } from '../../src/lib/access/audit/types.js'
import { listCanaries } from '../../src/lib/access/canary/list.js'
import { plantCanaries, type CanaryOrder } from '../../src/lib/access/canary/plant.js'
import { removeCanary } from '../../src/lib/access/canary/remove.js'
import { findSessions } from '../../src/lib/access/sessions/sessions.js'
import { systemClock } from '../../src/lib/clock.js'
import type { Database } from '../../src/lib/database/database.js'
import { ConflictError, ExpectedError, RefusedError, UsageError } from '../../src/lib/errors.js'
import type { Workspace } from '../../src/lib/workspace.js'
import { byDsn, databaseUrl, HOMELESS, openUrl, testWorkspace } from '../support/database.js'
import { startServer, type TestServer } from '../support/server.js'
import { sessionsQuestion } from '../support/session-log.js'

const PREFIX = '%m [%p] %c '

describe('decoys on a database server', () => {
  let server: TestServer
  let database: Database
  let fleet: Database
  let workspace: Workspace

  const environment = HOMELESS
  const dsn = (name = 'cleverctl') => databaseUrl(server.cluster, name)
  const order = (more: Partial<CanaryOrder> = {}): CanaryOrder => ({
    ...{ role: 'backup_admin', table: 'api_credentials', database: 'fleet', servers: byDsn(dsn()) },
    ...more,
  })
  const plant = async (more: Partial<CanaryOrder> = {}, by = workspace) =>
    (await plantCanaries(by, order(more), environment)).canaries
  const remove = (id: string) => removeCanary(workspace, { id, environment })
  const setState = (id: string, state: string) =>
    database.query(
      'update cleverctl.access_canary set state = $2, removed_at = null where id = $1',
      [id, state],
    )

  /** Findings about decoys. */
  async function audited(): Promise<string[]> {
    const asked = {
      ...{ servers: byDsn(dsn()), environment, failOn: 'critical' as const, isProbing: false },
      ...{ sarif: undefined, junit: undefined },
    }
    const result = await auditAccess(workspace, asked).catch((error: unknown) => {
      if (error instanceof ExpectedError && error.result) return error.result as AccessAudit
      throw error
    })
    return result.findings
      .filter(({ rule }) => rule.startsWith('canary-'))
      .map(({ rule, severity, subject, who }) => `${severity} ${rule}: ${subject} (${who})`)
  }

  before(async () => {
    server = await startServer({
      settings: [`log_line_prefix = '${PREFIX}'`, 'log_connections = on'],
    })
    database = await openUrl(dsn())
    workspace = testWorkspace(database, { clock: systemClock })
    await database.query('create database fleet')
    fleet = await openUrl(dsn('fleet'), { migrations: 'ignore' })
  })
  afterEach(async () => {
    for (const { id } of await listCanaries(workspace, { withRemoved: false })) await remove(id)
  })
  after(async () => {
    await fleet.close()
    await database.close()
    await server.stop()
  })

  it('are planted once, look like nothing special, and are no finding unused', async () => {
    const planted = await plant()
    deepEqual(
      planted.map(({ kind, name, state, outcome }) => [kind, name, state, outcome]),
      [
        ['role', 'backup_admin', 'PLANTED', 'planted'],
        ['table', 'public.api_credentials', 'PLANTED', 'planted'],
      ],
    )
    deepEqual(
      (await plant()).map(({ id, outcome }) => [id, outcome]),
      planted.map(({ id }) => [id, 'unchanged']),
    )
    const { rows } = await fleet.query<{ role: string; table: string }>(
      `select shobj_description('backup_admin'::regrole, 'pg_authid') as role,
         obj_description('api_credentials'::regclass, 'pg_class') as table`,
    )
    for (const text of Object.values(rows[0] ?? {})) match(text, /^ref [0-9A-Za-z]{12}$/)
    deepEqual(await audited(), [])
  })

  it('are a finding as soon as the table was read, with a login that leads to the role', async () => {
    const [, table] = await plant()
    const { rows } = await fleet.query<{ username: string }>('select username from api_credentials')
    equal(rows[0]?.username, 'backup_admin')
    await fleet.query('select pg_stat_force_next_flush()')
    deepEqual(await audited(), [
      'critical canary-read: table public.api_credentials in fleet (null)',
    ])
    await remove(table?.id ?? '')
    await plant()
    deepEqual(await audited(), [])
  })

  it('are a finding when the role is made more than a decoy', async () => {
    await plant({ table: undefined, database: undefined })
    await database.query('alter role backup_admin login')
    await database.query('grant backup_admin to staff')
    deepEqual((await audited()).sort(), [
      'critical canary-role: role backup_admin (nobody)',
      'critical canary-role: role backup_admin (nobody)',
    ])
    await database.query('revoke backup_admin from staff')
  })

  it('stand out in the log when somebody tries to log in as one', async () => {
    await plant({ table: undefined, database: undefined })
    const client = new pg.Client({
      ...{ host: 'localhost', port: server.port, user: 'backup_admin', password: 'guess' },
      ...{ database: 'fleet', ssl: { rejectUnauthorized: false } },
    })
    await rejects(client.connect())
    const asked = { logs: [server.cluster.logFile], prefix: PREFIX, superusers: [] }
    const { sessions } = await findSessions(workspace, sessionsQuestion(asked))
    deepEqual(
      sessions
        .filter(({ flags }) => flags.includes('decoy-role'))
        .map(({ outcome, who, failure }) => [outcome, who, failure?.reason]),
      [['refused', null, 'password authentication failed for user "backup_admin"']],
    )
  })

  it('are finished by the same command after it was cut off', async () => {
    const [role, table] = await plant()
    ok(role && table)
    await setState(table.id, 'PLANNED')
    await fleet.query('drop table api_credentials')
    deepEqual(
      (await plant()).map(({ id, outcome }) => [id, outcome]),
      [
        [role.id, 'unchanged'],
        [table.id, 'planted'],
      ],
    )
    await setState(table.id, 'REMOVING')
    await rejects(plant(), ConflictError)
    equal((await remove(table.id)).outcome, 'removed')
    equal((await remove(table.id)).outcome, 'unchanged')
    const { rows } = await fleet.query(`select to_regclass('api_credentials') as there`)
    deepEqual(rows, [{ there: null }])
  })

  it('leave alone what is not theirs, and what they cannot take back', async () => {
    await fleet.query('create table api_credentials (x int)')
    try {
      await rejects(plant({ role: undefined }), { code: 'name-taken' })
      deepEqual(await listCanaries(workspace, { withRemoved: false }), [])
      await fleet.query('alter table api_credentials rename to other')
      const [table] = await plant({ role: undefined })
      await fleet.query('alter table api_credentials rename to elsewhere')
      await fleet.query('alter table other rename to api_credentials')
      equal((await remove(table?.id ?? '')).outcome, 'removed')
      await fleet.query('select from api_credentials')
    } finally {
      await fleet.query('drop table if exists api_credentials, other, elsewhere')
    }
    const [role] = await plant({ table: undefined, database: undefined })
    await fleet.query('create schema held authorization backup_admin')
    await rejects(remove(role?.id ?? ''), { code: 'canary-in-use' })
    await fleet.query('drop schema held')
  })

  const bad: [what: string, more: Partial<CanaryOrder>][] = [
    ['nothing', { role: undefined, table: undefined, database: undefined }],
    ['a table without a database', { database: undefined }],
    ['a role of PostgreSQL', { role: 'pg_vault' }],
    ['a name with a quote', { role: `a"b` }],
    ['a table in two schemas', { table: 'a.b.c' }],
  ]
  for (const [what, more] of bad)
    it(`are not planted for ${what}`, async () => {
      await rejects(plant(more), UsageError)
      deepEqual(await listCanaries(workspace, { withRemoved: false }), [])
    })

  it('are planted by the owner of the database alone', async () => {
    const staff = await openUrl(server.url('staff'))
    try {
      await rejects(plant({}, { ...workspace, database: staff }), RefusedError)
      const { rows } = await database.query(`select from pg_roles where rolname = 'backup_admin'`)
      equal(rows.length, 0)
    } finally {
      await staff.close()
    }
  })
})
