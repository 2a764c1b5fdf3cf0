import { ConflictError, ExpectedError, UnreachableError } from '../../errors.js'
import { pendingMigrations } from '../../database/migrate.js'
import type { Scene } from '../scene.js'
import { countInstallations, selectConnection, selectServerTime } from '../store.js'
import { type Check, failure, type Finding, ok, warning } from '../types.js'

/** The first release with everything the schema uses. */
const OLDEST_VERSION = 150_000
const CLOCK_WARNING_MS = 5_000
/** Tokens are believed within this difference. */
const CLOCK_FAILURE_MS = 60_000

/** Checks of the database server and its schema. */
export const databaseChecks: readonly Check[] = [
  { id: 'database', title: 'database', run: checkDatabase },
  { id: 'database-version', title: 'PostgreSQL version', run: checkVersion },
  { id: 'tls', title: 'encryption on the way', run: checkEncryption },
  { id: 'clock', title: 'clock', run: checkClock },
  { id: 'migrations', title: 'schema', run: checkMigrations },
  { id: 'embedded', title: 'kind of database', run: checkKind },
]

async function checkDatabase(scene: Scene): Promise<Finding> {
  try {
    const { target } = await scene.openDatabase()
    if (target.mode === 'server') return ok(`${target.description} answers`)
    const programs = await embeddedPrograms(scene)
    return ok(`${target.description} runs with ${programs}`)
  } catch (error) {
    const isUnknown = error instanceof UnreachableError || isNotSetUp(error)
    if (isUnknown || !(error instanceof ExpectedError)) throw error
    return failure(error.message, error.suggestions[0] ?? 'cleverctl database status')
  }
}

const isNotSetUp = (error: unknown): boolean =>
  error instanceof ExpectedError && error.code === 'not-set-up'

async function embeddedPrograms(scene: Scene): Promise<string> {
  const { database } = await scene.settings()
  if (database.mode === 'server') return 'its own programs'
  const { inspectEmbedded } = await import('../../database/embedded/supervisor.js')
  const programs = (await inspectEmbedded(database))?.programs
  return programs ? `the programs in ${programs.folder} (${programs.origin})` : 'unknown programs'
}

async function checkVersion(scene: Scene): Promise<Finding> {
  const { version, versionNumber } = await selectConnection(await scene.database())
  if (versionNumber >= OLDEST_VERSION) return ok(`PostgreSQL ${version}`)
  return failure(`PostgreSQL ${version} is too old`, 'upgrade the server to PostgreSQL 15 or later')
}

async function checkEncryption(scene: Scene): Promise<Finding> {
  const { database } = await scene.settings()
  const { path, tls } = await selectConnection(await scene.database())
  if (path === 'socket' || database.mode === 'embedded') return ok('unix socket, not on a network')
  const next = 'set PGSSLMODE=verify-full and PGSSLROOTCERT'
  if (tls === null) {
    return path === 'loopback'
      ? warning('not encrypted, though within this machine', next)
      : failure('passwords and keys travel unencrypted', next)
  }
  const { mode } = database.tls
  if (mode === 'verify-full') return ok(`${tls}, the server proved its name`)
  return warning(`${tls}, but the server need not prove its name (sslmode=${mode})`, next)
}

async function checkClock(scene: Scene): Promise<Finding> {
  const database = await scene.database()
  const { clock } = scene.surroundings
  const before = clock.now().getTime()
  const server = (await selectServerTime(database)).getTime()
  const after = clock.now().getTime()
  // The server's clock was read at some moment between the two.
  const difference = Math.max(before - server, server - after, 0)
  if (difference < CLOCK_WARNING_MS) return ok('within 5 s of the database')
  const detail = `${Math.round(difference / 1000)} s apart from the database`
  const next = 'set the clocks of this machine and of the server by NTP'
  return difference < CLOCK_FAILURE_MS ? warning(detail, next) : failure(detail, next)
}

async function checkMigrations(scene: Scene): Promise<Finding> {
  const database = await scene.database()
  try {
    const { applied, pending } = await pendingMigrations(database)
    if (pending.length === 0) return ok(`${applied.length} migrations applied`)
    const detail = `${pending.length} migrations are not applied`
    return failure(detail, 'cleverctl database migrate')
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error
    return failure(error.message, error.suggestions[0] ?? 'cleverctl database status')
  }
}

async function checkKind(scene: Scene): Promise<Finding> {
  const { database } = await scene.workspace()
  if (database.target.mode === 'server') return ok('a server, for any number of sites')
  const sites = await countInstallations(database)
  if (sites <= 1) return ok('embedded: for evaluation and single sites')
  return warning(
    `embedded, which is for evaluation and single sites, and holds ${sites} installations`,
    'move to a server with standbys and backups: cleverctl init --profile production --database-url URL',
  )
}
