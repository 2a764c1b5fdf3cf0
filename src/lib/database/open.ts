import type { Settings } from '../config/settings.js'
import { counted } from '../counted.js'
import { ConflictError } from '../errors.js'
import type { Log } from '../workspace.js'
import type { Database } from './database.js'
import { migrate, pendingMigrations } from './migrate.js'
import { PooledDatabase } from './pool.js'
import { describeServer, serverRoutes } from './server-routes.js'

/** How to open a database. */
export interface OpenOptions {
  log: Log
  /**
   * When aborted, the statements running at that moment are cancelled and throw CancelledError;
   * later ones run, so that what was interrupted can be recorded. Leave it out where work that was
   * taken in must be finished (a gate).
   */
  signal?: AbortSignal | undefined
  /** Connections at most; 5 where absent. */
  maxConnections?: number | undefined
  /** An attempt to connect takes so long at most, whatever connect_timeout allows; in milliseconds. */
  connectWithinMs?: number | undefined
  /**
   * So many statements and transactions at a time; the others stand in line, as long as it takes. Fewer than
   * `maxConnections` by the connections that are lent for longer, or taken from the pool itself. Where absent nobody stands in line: who
   * finds all connections lent is told so after the time that a server may take.
   * For commands that do more at a time than they have connections, and are busy with other things between.
   */
  atOnce?: number | undefined
  /** `expect` (default): the schema must be up to date, an embedded one is brought up to date; `ignore`: as it is. */
  migrations?: 'expect' | 'ignore'
}

/**
 * Opens the database that the settings name; starts the embedded one when it is not running.
 * Throws UnreachableError, RefusedError (login), ConflictError (schema not up to date, or locked).
 */
export async function openDatabase(settings: Settings, options: OpenOptions): Promise<Database> {
  const { log, signal } = options
  const database = new PooledDatabase({
    ...(await targetAndRoutes(settings, options)),
    log,
    signal,
    atOnce: options.atOnce,
  })
  try {
    if (options.migrations !== 'ignore') await expectMigrated(database, log)
  } catch (error) {
    await database.close()
    throw error
  }
  return database
}

async function targetAndRoutes(settings: Settings, options: OpenOptions) {
  const { log, signal, maxConnections, connectWithinMs } = options
  const { database, profile } = settings
  if (database.mode === 'server') {
    const target = { mode: 'server' as const, description: describeServer(database), profile }
    return { target, routes: await serverRoutes(database, { maxConnections, connectWithinMs }) }
  }
  const { embeddedRoutes, describeEmbedded } = await import('./embedded/routes.js')
  const target = { mode: 'embedded' as const, description: describeEmbedded(database), profile }
  return { target, routes: embeddedRoutes(database, { log, signal, maxConnections }) }
}

async function expectMigrated(database: Database, log: Log): Promise<void> {
  const { pending } = await pendingMigrations(database)
  if (pending.length === 0) return
  if (database.target.mode === 'embedded') {
    await migrate(database, log)
    return
  }
  throw new ConflictError(
    'migrations-pending',
    `the database ${database.target.description} lacks ${counted(pending.length, 'migration')}`,
    { suggestions: ['cleverctl database migrate'] },
  )
}
