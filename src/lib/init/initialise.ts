import { migrate, pendingMigrations } from '../database/migrate.js'
import { openDatabase } from '../database/open.js'
import type { Database } from '../database/database.js'
import { findKeyFile } from '../keyring/find.js'
import { readKeyringRecord } from '../keyring/store.js'
import { ensureSigningKeys } from '../signing-key/ensure.js'
import { type Surroundings, workspaceOn } from '../surroundings.js'
import {
  type AskChoice,
  type PlannedProfile,
  planProfile,
  type ProfileWishes,
  writePlanned,
} from './profile.js'

/** The environment variables that decide the database ahead of any profile. */
const URL_VARIABLES = ['CLEVERCTL_DATABASE_URL', 'CLEVERCTL_DATABASE_URL_FILE']

/** What init did. Whatever was there before is `unchanged`. */
export interface Initialised {
  profile: string
  home: string
  config: 'written' | 'unchanged'
  database: { mode: 'embedded' | 'server'; description: string; migrationsApplied: number }
  keyring: { provider: 'file' | 'passphrase'; path: string; outcome: 'created' | 'unchanged' }
  signingKeys: { outcome: 'created' | 'unchanged'; created: string[] }
  /** Commands to type next. */
  next: string[]
}

/** What a person is asked during init. */
export interface InitQuestions {
  choose: AskChoice
  /** Before migrations on a server that others may use. Throws when the answer is no. */
  confirm(question: string): Promise<void>
}

/**
 * Sets everything up: database, schema, keyring, the first signing keys, and last config.json, so
 * that a failure on the way leaves no profile that does not work. What is there already is left as
 * it is, so an interrupted run is completed by giving the command again.
 * @throws ConflictError when the profile exists with other contents; whatever opening a database throws
 */
export async function initialise(
  surroundings: Surroundings,
  wishes: ProfileWishes,
  ask: InitQuestions,
): Promise<Initialised> {
  const { environment, log, signal } = surroundings
  const plan = await planProfile(wishes, { environment, choose: ask.choose })
  const stronger = URL_VARIABLES.find((name) => wishes.databaseUrl && environment[name])
  if (stronger) log.warn(`${stronger} is set and wins over profile ${plan.name}`)
  const database = await openDatabase(plan.settings, { log, signal, migrations: 'ignore' })
  try {
    return await setUp(surroundings, { plan, database, ask })
  } finally {
    await database.close()
  }
}

async function setUp(
  surroundings: Surroundings,
  given: { plan: PlannedProfile; database: Database; ask: InitQuestions },
): Promise<Initialised> {
  const { plan, database, ask } = given
  const { settings } = plan
  const migrationsApplied = await applyMigrations(surroundings, database, ask)
  const record = await readKeyringRecord(database)
  const isNew = findKeyFile(settings.keyring, record).file === undefined
  const workspace = workspaceOn(database, settings, {
    ...surroundings,
    askPassphrase: () => surroundings.askPassphrase({ isNew }),
  })
  await workspace.keyring()
  const { path } = findKeyFile(settings.keyring, await readKeyringRecord(database))
  const created = await ensureSigningKeys(workspace)
  const isWritten = await writePlanned(plan)
  const { mode, description } = database.target
  return {
    profile: plan.name,
    home: settings.home,
    config: isWritten ? 'written' : 'unchanged',
    database: { mode, description, migrationsApplied },
    keyring: {
      provider: settings.keyring.provider,
      path,
      outcome: record.keys.length === 0 ? 'created' : 'unchanged',
    },
    signingKeys: { outcome: created.length > 0 ? 'created' : 'unchanged', created },
    next: nextCommands(plan),
  }
}

async function applyMigrations(
  { log }: Surroundings,
  database: Database,
  ask: InitQuestions,
): Promise<number> {
  const { pending } = await pendingMigrations(database)
  if (pending.length === 0) return 0
  const { mode, description } = database.target
  if (mode === 'server') {
    await ask.confirm(`Apply ${pending.length} migrations to ${description}?`)
  }
  return (await migrate(database, log)).length
}

function nextCommands({ isCurrent, name }: PlannedProfile): string[] {
  const profile = isCurrent ? '' : ` --profile ${name}`
  return [
    'installation create solar-0042 --name "Almeria 42" --timezone Europe/Madrid --latitude 36.84 --longitude -2.46',
    'device import factory.csv --secrets-out secrets.csv',
    'installer add installer@example.com --name Installer --password-file FILE',
    'doctor',
  ].map((command) => `cleverctl ${command}${profile}`)
}
