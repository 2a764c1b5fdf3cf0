import { StatementError } from '../../database/statement-error.js'
import type { Database } from '../../database/database.js'
import { CancelledError, ExpectedError } from '../../errors.js'
import { matchesExpression } from '../hba/expression.js'
import { nameInterfaces } from '../hba/interfaces.js'
import { readHbaRow, type HbaRow } from '../hba/read.js'
import type { HbaFacts, HbaRule, ServerAddress } from '../hba/types.js'
import { selectHba, selectInterfaces, selectLoadTimes } from './hba-store.js'
import {
  selectDatabases,
  selectIdentities,
  selectMemberships,
  selectParameterGrants,
  selectPasswords,
  selectRoles,
  selectRoleSettings,
  selectServer,
  selectSessions,
  selectSettings,
  selectSlots,
  type DatabaseRow,
  type IdentityRow,
  type Membership,
  type ParameterGrantRow,
  type PasswordRow,
  type RoleRow,
  type RoleSetting,
  type ServerRow,
  type SessionRow,
  type SlotRow,
} from './server-store.js'

/** What a server says about itself, part by part: an auditor may be let see some parts and not others. */
export interface ServerParts {
  server: ServerRow
  settings: ReadonlyMap<string, string>
  roles: readonly RoleRow[]
  memberships: readonly Membership[]
  passwords: readonly PasswordRow[]
  roleSettings: readonly RoleSetting[]
  databases: readonly DatabaseRow[]
  parameterGrants: readonly ParameterGrantRow[]
  sessions: readonly SessionRow[]
  hba: {
    rows: readonly HbaRow[]
    rules: readonly HbaRule[]
    /** Of the server's machine; read where a rule names samehost or samenet. */
    interfaces: readonly ServerAddress[] | Error
  }
  /** When pg_hba.conf was written, and when the server last read it. */
  loadTimes: { writtenAt: Date; loadedAt: Date }
  identities: readonly IdentityRow[]
  slots: readonly SlotRow[]
}

/** Parts that were read; of those that could not be, why. */
export type ReadParts<Parts = ServerParts> = { [Name in keyof Parts]: Parts[Name] | Error }

/**
 * Reads every part of a server, each in a read-only transaction of its own.
 * @throws UnreachableError and RefusedError when there is no connection at all, CancelledError
 */
export async function readServer(database: Database, signal: AbortSignal): Promise<ReadParts> {
  const part = partReader(database, signal)
  // The first one opens the connection: without it there is nothing to be read.
  const server = await selectServer(database)
  return {
    server,
    settings: await part(selectSettings),
    roles: await part(selectRoles),
    memberships: await part(selectMemberships),
    passwords: await part(selectPasswords),
    roleSettings: await part(selectRoleSettings),
    databases: await part(selectDatabases),
    parameterGrants: await part(selectParameterGrants),
    sessions: await part(selectSessions),
    hba: await part(async () => {
      const { rows, lines } = await selectHba(database)
      const rules = rows.flatMap((row) => readHbaRow(row, lines?.[row.line - 1]) ?? [])
      const interfaces = nameInterfaces(rules) ? await part(selectInterfaces) : []
      return { rows, rules, interfaces }
    }),
    loadTimes: await part(selectLoadTimes),
    identities: await part(selectIdentities),
    slots: await part(selectSlots),
  }
}

/** Reads parts by their selections; gives the error in the place of one that may not be read. */
export function partReader(database: Database, signal: AbortSignal) {
  return async <Result>(
    select: (database: Database) => Promise<Result>,
  ): Promise<Result | Error> => {
    signal.throwIfAborted()
    try {
      return await select(database)
    } catch (error) {
      if (error instanceof CancelledError) throw error
      if (error instanceof ExpectedError || error instanceof StatementError) return error
      throw error
    }
  }
}

/** What the rules of pg_hba.conf are matched with, from the parts of a server. */
export function hbaFacts(parts: Pick<ServerParts, 'server' | 'memberships' | 'hba'>): HbaFacts {
  const { interfaces } = parts.hba
  const groups = new Map<string, Set<string>>()
  const groupsOf = (role: string): Set<string> => {
    const known = groups.get(role)
    if (known) return known
    const found = new Set([role])
    for (const each of found)
      for (const { member, group } of parts.memberships) if (member === each) found.add(group)
    groups.set(role, found)
    return found
  }
  return {
    isMember: (role, of) => groupsOf(role).has(of),
    matches: matchesExpression,
    hasExpressions: parts.server.version >= 160_000,
    interfaces: interfaces instanceof Error ? undefined : interfaces,
  }
}
