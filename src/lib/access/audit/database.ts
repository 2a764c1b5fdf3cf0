import type { Database } from '../../database/database.js'
import { openSibling } from '../../database/sibling.js'
import { CancelledError, ExpectedError } from '../../errors.js'
import type { Log } from '../../workspace.js'
import {
  selectDatabaseName,
  selectDecoys,
  selectDefaultPrivileges,
  selectDefiners,
  selectEventTriggers,
  selectExtensions,
  selectGrants,
  selectNativeFunctions,
  selectOwners,
  selectUnforcedTables,
  selectUntrustedLanguages,
  type DecoyRow,
  type DefaultPrivilegeRow,
  type DefinerRow,
  type GrantRow,
  type OwnedRow,
  type OwnerRow,
} from './database-store.js'
import {
  selectMappings,
  selectOpenPasswords,
  selectSubscriptions,
  type MappingRow,
  type OptionsRow,
} from './elsewhere-store.js'
import { partReader, type ReadParts } from './server.js'

/** What one database of a server says about itself, part by part. */
export interface DatabaseParts {
  /** Its name. */
  database: string
  grants: readonly GrantRow[]
  defaultPrivileges: readonly DefaultPrivilegeRow[]
  definers: readonly DefinerRow[]
  untrustedLanguages: readonly OwnedRow[]
  nativeFunctions: readonly OwnedRow[]
  extensions: readonly OwnedRow[]
  mappings: readonly MappingRow[]
  openPasswords: readonly OptionsRow[]
  unforcedTables: readonly OwnedRow[]
  owners: readonly OwnerRow[]
  eventTriggers: readonly OwnedRow[]
  subscriptions: readonly OwnedRow[]
  decoys: readonly DecoyRow[]
}

const SELECTIONS: {
  [Name in Exclude<keyof DatabaseParts, 'database'>]: (
    database: Database,
  ) => Promise<DatabaseParts[Name]>
} = {
  grants: selectGrants,
  defaultPrivileges: selectDefaultPrivileges,
  definers: selectDefiners,
  untrustedLanguages: selectUntrustedLanguages,
  nativeFunctions: selectNativeFunctions,
  extensions: selectExtensions,
  mappings: selectMappings,
  openPasswords: selectOpenPasswords,
  unforcedTables: selectUnforcedTables,
  owners: selectOwners,
  eventTriggers: selectEventTriggers,
  subscriptions: selectSubscriptions,
  decoys: selectDecoys,
}

/** The names of all parts that each database has of its own. */
export const DATABASE_PARTS: ReadonlySet<string> = new Set(['database', ...Object.keys(SELECTIONS)])

/** The parts of a database; where there is no connection to it, why, in the place of each. */
export type ReadDatabase = ReadParts<DatabaseParts> & { database: string }

/**
 * Reads the parts of the databases of a server, each over a connection of its own; never throws for one
 * that may not be entered.
 * @param own leads to one of them
 */
export async function readDatabases(
  own: Database,
  names: readonly string[],
  given: { log: Log; signal: AbortSignal },
): Promise<ReadDatabase[]> {
  const ownName = await selectDatabaseName(own)
  const read: ReadDatabase[] = []
  for (const name of names) {
    if (name === ownName) read.push(await readDatabase(own, name, given.signal))
    else read.push(await readOther(own, name, given))
  }
  return read
}

async function readOther(
  own: Database,
  name: string,
  given: { log: Log; signal: AbortSignal },
): Promise<ReadDatabase> {
  const other = await openSibling(own, name, given)
  try {
    await selectDatabaseName(other)
    return await readDatabase(other, name, given.signal)
  } catch (error) {
    if (!(error instanceof ExpectedError) || error instanceof CancelledError) throw error
    return everyPart(name, async () => error)
  } finally {
    await other.close()
  }
}

async function readDatabase(
  database: Database,
  name: string,
  signal: AbortSignal,
): Promise<ReadDatabase> {
  const part = partReader(database, signal)
  return everyPart(name, async (select) => part(select))
}

async function everyPart(
  database: string,
  part: (select: (database: Database) => Promise<unknown>) => Promise<unknown>,
): Promise<ReadDatabase> {
  const read: Record<string, unknown> = { database }
  for (const [name, select] of Object.entries(SELECTIONS)) read[name] = await part(select)
  // Each name was given what its own selection gives, or an error.
  return read as ReadDatabase
}
