import { ConflictError } from '../errors.js'
import type { Actor } from '../trail/actor.js'
import { appendTrail } from '../trail/append.js'
import type { Database, Queryable } from './database.js'
import { isSqlState, SqlState } from './sqlstate.js'

/** Where graphile-worker, the job queue that workers of campaigns share, keeps its tables. */
export const QUEUE_SCHEMA = 'cleverctl_queue'

/** The revision of those tables that the installed graphile-worker needs. */
const REVISION = 18

/**
 * Its tables are closed to all but their owner, row by row as well. Members of cleverctl_staff may give out work and
 * do it; nobody else may call its functions.
 */
const GRANTS = `
  revoke all on all functions in schema ${QUEUE_SCHEMA} from public;
  grant usage on schema ${QUEUE_SCHEMA} to cleverctl_staff;
  grant execute on all functions in schema ${QUEUE_SCHEMA} to cleverctl_staff;
  grant usage on all sequences in schema ${QUEUE_SCHEMA} to cleverctl_staff;
  grant select on ${QUEUE_SCHEMA}.migrations to cleverctl_staff;
  ${['jobs', 'job_queues', 'tasks', 'known_crontabs']
    .map(
      (table) => `
  grant select, insert, update, delete on ${QUEUE_SCHEMA}._private_${table} to cleverctl_staff;
  drop policy if exists staff on ${QUEUE_SCHEMA}._private_${table};
  create policy staff on ${QUEUE_SCHEMA}._private_${table} to cleverctl_staff using (true) with check (true);`,
    )
    .join('')}`

/** Whether the job queue's tables are there, in the revision that is needed or a later one. */
export async function hasJobQueue(queryable: Queryable): Promise<boolean> {
  const { rows } = await queryable.query<{ isThere: boolean }>(
    `select to_regclass('${QUEUE_SCHEMA}.migrations') is not null as "isThere"`,
  )
  if (rows[0]?.isThere !== true) return false
  const revision = await queryable.query<{ id: number | null }>(
    `select max(id) as id from ${QUEUE_SCHEMA}.migrations`,
  )
  return (revision.rows[0]?.id ?? 0) >= REVISION
}

/**
 * Makes the job queue's tables, or brings them up to date, and gives cleverctl_staff its rights on them.
 * @param actor recorded in the trail with it
 * @returns whether there was anything to do
 * Throws RefusedError for a role that may not create schemas.
 */
export async function migrateJobQueue(database: Database, actor?: Actor): Promise<boolean> {
  return database.connection(async (client) => {
    await client.query(`select pg_advisory_lock(hashtextextended('cleverctl.migrate.queue', 0))`)
    try {
      if (await hasJobQueue(client)) return false
      const { Logger, runMigrations } = await loadQueueLibrary()
      const logger = new Logger(() => () => undefined)
      await runMigrations({ pgPool: await database.pool(), schema: QUEUE_SCHEMA, logger })
      await database.transaction(async (transaction) => {
        await transaction.query(GRANTS)
        if (actor === undefined) return
        const details = { revision: REVISION }
        const subject = 'job queue'
        await appendTrail(transaction, actor, { action: 'database.migrate', subject, details })
      })
      return true
    } finally {
      await client
        .query(`select pg_advisory_unlock(hashtextextended('cleverctl.migrate.queue', 0))`)
        .catch(() => undefined)
    }
  })
}

/** Makes the job queue's tables where they are missing and this role may. Throws ConflictError where it may not. */
export async function requireJobQueue(database: Database, actor: Actor): Promise<void> {
  try {
    if (!(await hasJobQueue(database))) await migrateJobQueue(database, actor)
  } catch (cause) {
    if (!isSqlState(cause, SqlState.INSUFFICIENT_PRIVILEGE)) throw cause
    throw new ConflictError(
      'job-queue-missing',
      `the database ${database.target.description} lacks the job queue, and this role may not make it`,
      { cause, suggestions: ['as the owner of the database: cleverctl database migrate'] },
    )
  }
}

/** The library, however the loader hands a CommonJS module over: the bundle's has it all under `default`. */
export async function loadQueueLibrary(): Promise<Library> {
  const loaded: Library & { default?: Library } = await import('graphile-worker')
  return loaded.default ?? loaded
}

type Library = Pick<typeof import('graphile-worker'), 'run' | 'runMigrations' | 'Logger'>
