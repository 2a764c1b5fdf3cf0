import type { PoolClient } from 'pg'
import { ConflictError, RefusedError } from '../errors.js'
import type { Actor } from '../trail/actor.js'
import { appendTrail } from '../trail/append.js'
import type { Log } from '../workspace.js'
import type { Database, Queryable } from './database.js'
import { readMigrations } from './migrations.js'
import type { Migration } from './migrations.js'
import { isSqlState, SqlState } from './sqlstate.js'

/** Which migrations a database has and which it lacks. */
export interface MigrationState {
  applied: Pick<Migration, 'version' | 'name'>[]
  pending: Migration[]
}

/** A migration may have to wait for long-running commands, and another migrator for it. */
const LOCK_TIMEOUT = '60s'

/**
 * Compares what the database has with what this tool knows, in one statement.
 * Throws ConflictError when an applied file was changed or the database is newer than the tool.
 */
export async function pendingMigrations(database: Queryable): Promise<MigrationState> {
  const [applied, known] = await Promise.all([appliedMigrations(database), readMigrations()])
  for (const { version, name, sha256 } of applied) {
    const file = known[version - 1]
    if (file === undefined) {
      throw new ConflictError(
        'database-newer',
        `the database has migration ${version} (${name}), which this version of cleverctl does not know`,
        {
          suggestions: ['npm install --global cleverctl@latest'],
        },
      )
    }
    if (!file.sha256.equals(sha256)) {
      throw new ConflictError(
        'migration-changed',
        `migration ${migrationName(file)} differs from the one that was applied`,
        {
          suggestions: [
            'install the release of cleverctl that made the database, or a later one, unchanged',
          ],
        },
      )
    }
  }
  return { applied, pending: known.slice(applied.length) }
}

/**
 * Brings the database's schema up to what this tool knows. Each file runs in a transaction of its
 * own under one lock, so two migrators at once do the work once.
 * @param actor recorded in the trail with each migration; nobody is where the embedded database
 * follows a new release by itself
 * @returns the migrations applied now; empty when there was nothing to do
 */
export async function migrate(
  database: Database,
  log: Log,
  actor?: Actor,
): Promise<Pick<Migration, 'version' | 'name'>[]> {
  return database.connection(async (client) => {
    await client.query(`set lock_timeout = '${LOCK_TIMEOUT}'; set statement_timeout = 0`)
    await client.query(`select pg_advisory_lock(hashtextextended('cleverctl.migrate', 0))`)
    try {
      const { pending } = await pendingMigrations(client)
      for (const migration of pending) {
        log.debug(`applying migration ${migrationName(migration)}`)
        await apply(client, migration, actor)
      }
      return pending.map(({ version, name }) => ({ version, name }))
    } finally {
      await client
        .query(`select pg_advisory_unlock(hashtextextended('cleverctl.migrate', 0))`)
        .catch(() => undefined)
      await client.query('reset lock_timeout; reset statement_timeout').catch(() => undefined)
    }
  })
}

async function apply(
  client: PoolClient,
  migration: Migration,
  actor: Actor | undefined,
): Promise<void> {
  await client.query('begin')
  try {
    // Nothing in a migration may resolve to an object that somebody put into `public`.
    await client.query('set local search_path = pg_catalog')
    if (migration.version === 1) await createSchema(client)
    await client.query(migration.sql)
    await client.query(
      'insert into cleverctl.migration (version, name, sha256) values ($1, $2, $3)',
      [migration.version, migration.name, migration.sha256],
    )
    if (actor !== undefined) {
      await appendTrail({ client, query: client.query.bind(client) }, actor, {
        action: 'database.migrate',
        subject: migrationName(migration),
        details: { sha256: migration.sha256.toString('hex') },
      })
    }
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => undefined)
    throw isSqlState(error, SqlState.INSUFFICIENT_PRIVILEGE) ? notTheOwner(error) : error
  }
}

function notTheOwner(error: unknown): RefusedError {
  const lack = error instanceof Error ? error.message : ''
  return new RefusedError('privilege-missing', `this role may not migrate the database: ${lack}`, {
    suggestions: [
      'migrate as the owner of the database',
      'who also needs createrole, unless cleverctl_staff, cleverctl_gate and cleverctl_auditor exist',
    ],
  })
}

/** `if not exists` would ask for the right to create schemas even where the schema exists. */
async function createSchema(client: PoolClient): Promise<void> {
  const { rows } = await client.query<{ missing: boolean }>(
    `select to_regnamespace('cleverctl') is null as missing`,
  )
  if (rows[0]?.missing) await client.query('create schema cleverctl')
  await client.query(`create table cleverctl.migration (
    version integer primary key,
    name text not null,
    sha256 bytea not null check (octet_length(sha256) = 32),
    applied_at timestamptz not null default now()
  )`)
}

async function appliedMigrations(
  database: Queryable,
): Promise<Pick<Migration, 'version' | 'name' | 'sha256'>[]> {
  try {
    const { rows } = await database.query<Pick<Migration, 'version' | 'name' | 'sha256'>>(
      'select version, name, sha256 from cleverctl.migration order by version',
    )
    return rows
  } catch (error) {
    if (isSqlState(error, SqlState.UNDEFINED_TABLE)) return []
    throw error
  }
}

/** As its file is called, without `.sql`. */
export function migrationName({ version, name }: Pick<Migration, 'version' | 'name'>): string {
  return `${String(version).padStart(4, '0')}_${name}`
}
