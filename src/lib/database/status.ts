import type { EmbeddedSettings, Settings } from '../config/settings.js'
import type { Log } from '../workspace.js'
import type { Database } from './database.js'
import { migrationName, pendingMigrations } from './migrate.js'
import { openDatabase } from './open.js'
import { describeServer } from './server-routes.js'

/** What is known of the database in use. What only a running server can tell is absent without one. */
export interface DatabaseStatus {
  mode: 'embedded' | 'server'
  profile: string
  /** What decided that it is this one. */
  source: string
  description: string
  /** `absent`: the embedded database was never made. */
  state: 'running' | 'stopped' | 'absent'
  /** PostgreSQL's release, e.g. `15.18`. */
  version?: string
  sizeBytes?: number
  migrations?: { applied: string[]; pending: string[] }
  /** The server that the tool runs for itself. */
  embedded?: {
    dataDirectory: string
    logFile: string
    programs: { folder: string; origin: string }
    processId?: number
    /** What it is made for and what it is not. */
    purpose: string
  }
}

const PURPOSE =
  'evaluation and single sites; production with standbys and backups needs a PostgreSQL server'

/**
 * Looks at the database without changing it: an embedded one that does not run is not started.
 * Throws UnreachableError or RefusedError where a server cannot be asked.
 */
export async function databaseStatus(
  settings: Settings,
  given: { log: Log; signal: AbortSignal },
): Promise<DatabaseStatus> {
  const { database: target, profile, databaseSource: source } = settings
  if (target.mode === 'server') {
    const known = { mode: 'server', profile, source, description: describeServer(target) } as const
    return { ...known, state: 'running', ...(await ask(settings, given)) }
  }
  const { state, embedded } = await inspect(target)
  const answers = state === 'running' ? await ask(settings, given) : {}
  const { describeEmbedded } = await import('./embedded/routes.js')
  return {
    mode: 'embedded',
    profile,
    source,
    description: describeEmbedded(target),
    state,
    ...answers,
    ...(embedded === undefined ? {} : { embedded }),
  }
}

async function inspect(
  settings: EmbeddedSettings,
): Promise<Pick<DatabaseStatus, 'state' | 'embedded'>> {
  const { inspectEmbedded } = await import('./embedded/supervisor.js')
  const found = await inspectEmbedded(settings)
  if (found === undefined) return { state: 'absent' }
  const { dataDirectory, logFile, processId, programs } = found
  return {
    state: processId === undefined ? 'stopped' : 'running',
    embedded: {
      dataDirectory,
      logFile,
      programs: { folder: programs.folder, origin: programs.origin },
      ...(processId === undefined ? {} : { processId }),
      purpose: PURPOSE,
    },
  }
}

async function ask(
  settings: Settings,
  given: { log: Log; signal: AbortSignal },
): Promise<Pick<DatabaseStatus, 'version' | 'sizeBytes' | 'migrations'>> {
  const database = await openDatabase(settings, { ...given, migrations: 'ignore' })
  try {
    return await read(database)
  } finally {
    await database.close()
  }
}

async function read(
  database: Database,
): Promise<Required<Pick<DatabaseStatus, 'version' | 'sizeBytes' | 'migrations'>>> {
  const { applied, pending } = await pendingMigrations(database)
  const { rows } = await database.query<{ version: string; size: string }>(
    `select split_part(current_setting('server_version'), ' ', 1) as version,
       pg_database_size(current_database()) as size`,
  )
  return {
    version: rows[0]?.version ?? '',
    sizeBytes: Number(rows[0]?.size ?? 0),
    migrations: {
      applied: applied.map(migrationName),
      pending: pending.map(migrationName),
    },
  }
}
