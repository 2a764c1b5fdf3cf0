import type { EmbeddedSettings, Settings } from '../config/settings.js'
import { UsageError } from '../errors.js'
import type { Actor } from '../trail/actor.js'
import type { Log } from '../workspace.js'
import { hasJobQueue, migrateJobQueue } from './job-queue.js'
import { migrate, migrationName, pendingMigrations } from './migrate.js'
import { openDatabase } from './open.js'

interface Given {
  log: Log
  signal: AbortSignal
}

/** What a command on the embedded server came to. */
export interface ControlResult {
  description: string
  outcome: 'started' | 'stopped' | 'unchanged'
}

/** What `database migrate` did, or with a dry run would do. */
export interface MigrateResult {
  description: string
  applied: string[]
  outcome: 'migrated' | 'unchanged' | 'planned'
}

/** Starts the embedded database, which every command does by itself. Throws UsageError for a server. */
export async function startDatabase(settings: Settings, given: Given): Promise<ControlResult> {
  const embedded = embeddedOnly(settings, 'started')
  const { inspectEmbedded } = await import('./embedded/supervisor.js')
  const isRunning = (await inspectEmbedded(embedded))?.processId !== undefined
  const database = await openDatabase(settings, given)
  await database.close()
  return { description: database.target.description, outcome: isRunning ? 'unchanged' : 'started' }
}

/** Stops the embedded database; the next command starts it again. Throws UsageError for a server. */
export async function stopDatabase(settings: Settings, given: Given): Promise<ControlResult> {
  const embedded = embeddedOnly(settings, 'stopped')
  const { stopEmbedded } = await import('./embedded/supervisor.js')
  const { describeEmbedded } = await import('./embedded/routes.js')
  const isStopped = await stopEmbedded(embedded, given)
  return { description: describeEmbedded(embedded), outcome: isStopped ? 'stopped' : 'unchanged' }
}

/** Brings the schema up to date and records each step in the trail; with `dryRun` only says what is missing. */
export async function migrateDatabase(
  settings: Settings,
  given: Given & { actor: Actor; dryRun: boolean },
): Promise<MigrateResult> {
  const { log, signal, actor, dryRun } = given
  const database = await openDatabase(settings, { log, signal, migrations: 'ignore' })
  try {
    const { description } = database.target
    const done = dryRun
      ? (await pendingMigrations(database)).pending
      : await migrate(database, log, actor)
    const lacksQueue = dryRun
      ? !(await hasJobQueue(database))
      : await migrateJobQueue(database, actor)
    const applied = [...done.map(migrationName), ...(lacksQueue ? ['job queue'] : [])]
    const outcome = applied.length === 0 ? 'unchanged' : dryRun ? 'planned' : 'migrated'
    return { description, applied, outcome }
  } finally {
    await database.close()
  }
}

function embeddedOnly(settings: Settings, verb: string): EmbeddedSettings {
  if (settings.database.mode === 'embedded') return settings.database
  throw new UsageError(
    'not-embedded',
    `${settings.databaseSource} names a server, which is ${verb} by its own administrator`,
    { suggestions: ['cleverctl database status'] },
  )
}
