import assert from 'node:assert/strict'
import { ConflictError, RefusedError } from '../../src/lib/errors.js'
import type { Database } from '../../src/lib/database/database.js'
import { migrate, migrationName, pendingMigrations } from '../../src/lib/database/migrate.js'
import { readMigrations } from '../../src/lib/database/migrations.js'
import { freshDatabase, openUrl, silentLog } from '../support/database.js'
import type { FreshDatabase } from '../support/database.js'
import { startServer } from '../support/server.js'
import type { TestServer } from '../support/server.js'

const ACTOR = { osUser: 'tester', host: 'test-host', ciJob: undefined }

describe('migrations', () => {
  let fresh: FreshDatabase

  beforeEach(async () => {
    fresh = await freshDatabase()
  })
  afterEach(async () => {
    await fresh.drop()
  })

  /** The database as it was before its first migration. */
  const empty = async (): Promise<Database> => {
    await fresh.database.query('drop schema cleverctl cascade')
    return fresh.database
  }

  it('are applied in order, once, and recorded in the trail', async () => {
    const database = await empty()
    const known = await readMigrations()
    const done = await migrate(database, silentLog, ACTOR)
    assert.deepEqual(done.map(migrationName), known.map(migrationName))
    assert.deepEqual(await migrate(database, silentLog, ACTOR), [])
    const { rows } = await database.query(
      'select action, subject, os_user from cleverctl.trail order by seq',
    )
    assert.deepEqual(
      rows,
      known.map((one) => ({
        action: 'database.migrate',
        subject: migrationName(one),
        os_user: 'tester',
      })),
    )
  })

  it('are applied once by two migrators at the same time', async () => {
    const first = await empty()
    const second = await openUrl(fresh.url, { migrations: 'ignore' })
    const done = await Promise.all([migrate(first, silentLog), migrate(second, silentLog)])
    assert.deepEqual(
      done.flat().map(({ version }) => version),
      (await readMigrations()).map(({ version }) => version),
    )
    await second.close()
  })

  it('are not applied behind the back of who opens a server, but named', async () => {
    await empty()
    await assert.rejects(openUrl(fresh.url), (error) => {
      assert.ok(error instanceof ConflictError)
      assert.equal(error.code, 'migrations-pending')
      assert.deepEqual(error.suggestions, ['cleverctl database migrate'])
      return true
    })
  })

  it('refuse a database whose migration was made by a changed file, naming it', async () => {
    await fresh.database.query(
      `update cleverctl.migration set sha256 = sha256('changed') where version = 2`,
    )
    await assert.rejects(
      openUrl(fresh.url),
      (error) =>
        error instanceof ConflictError &&
        error.code === 'migration-changed' &&
        error.message.includes('0002_registry'),
    )
    await assert.rejects(migrate(fresh.database, silentLog), ConflictError)
  })

  it('refuse a database that is newer than the program', async () => {
    await fresh.database.query(
      `insert into cleverctl.migration values (9999, 'to_come', sha256('x'))`,
    )
    await assert.rejects(
      openUrl(fresh.url),
      (error) => error instanceof ConflictError && error.code === 'database-newer',
    )
  })

  it('leave nothing of themselves behind when one fails', async () => {
    const database = await empty()
    // Somebody's table in the way of the second migration.
    await database.query('create schema cleverctl; create table cleverctl.installation (x int)')
    await assert.rejects(migrate(database, silentLog))
    const { applied } = await pendingMigrations(database)
    assert.deepEqual(
      applied.map(({ version }) => version),
      [1],
    )
    assert.equal(
      (await database.query(`select to_regclass('cleverctl.device') as there`)).rows[0]?.['there'],
      null,
    )
    await database.query('drop table cleverctl.installation')
    await migrate(database, silentLog)
    assert.deepEqual((await pendingMigrations(database)).pending, [])
  })
})

describe('migrations by the owner of a database', () => {
  let server: TestServer

  before(async () => {
    server = await startServer({ tls: false, scram: false, roles: false })
  })
  after(async () => {
    await server.stop()
  })

  it('need createrole, or the group roles, and say so', async () => {
    await server.administer('alter role owner nocreaterole')
    const database = await openUrl(server.url('owner'), { migrations: 'ignore' })
    await assert.rejects(
      migrate(database, silentLog),
      (error) => error instanceof RefusedError && /createrole/.test(error.suggestions.join()),
    )
    const { rows } = await server.administer(`select to_regnamespace('cleverctl') as schema`)
    assert.deepEqual(rows, [{ schema: null }])

    for (const name of ['staff', 'gate', 'auditor'])
      await server.administer(`create role cleverctl_${name} nologin`)
    await migrate(database, silentLog)
    assert.deepEqual((await pendingMigrations(database)).pending, [])
    await database.close()
  })

  it('are refused to a role that does not own it', async () => {
    await server.administer('create database other')
    const database = await openUrl(server.url('staff').replace('/cleverctl?', '/other?'), {
      migrations: 'ignore',
    })
    await assert.rejects(migrate(database, silentLog), RefusedError)
    await database.close()
  })
})
