import type { Database } from '../../database/database.js'
import { NotFoundError } from '../../errors.js'
import type { Workspace } from '../../workspace.js'
import { selectAcceptances } from '../acceptance/store.js'
import { currentList } from '../audit/current-list.js'
import { select, type SessionRow } from '../audit/server-store.js'
import { readServer, type ReadParts } from '../audit/server.js'
import { EVERY_RULE } from '../audit/types.js'
import { findPrimary, type OpenServers } from '../grant/servers.js'
import type { Attempt } from '../hba/types.js'
import { planLines } from './lines.js'
import { attemptOf, type GuardedServer } from './lockout.js'
import { planRoles } from './plan.js'
import { inOrder, type Plan, type SeenServer } from './types.js'

/** Which roles are changed that are left otherwise. */
export interface AskedRoles {
  /** Superusers, roles that replicate and unknown ones, by name. */
  named: readonly string[]
  isUnknownIncluded: boolean
}

/**
 * Looks at servers, read-only, and plans how they come to be as the list says.
 * @throws ConflictError where not exactly one of those within reach takes changes, and all are within reach
 * @throws NotFoundError for a named role that the primary does not have; UnreachableError
 */
export async function lookAndPlan(
  workspace: Workspace,
  servers: OpenServers,
  { named, isUnknownIncluded }: AskedRoles,
): Promise<Plan> {
  const { database, signal } = workspace
  const list = await currentList(workspace)
  const acceptances = await selectAcceptances(database)
  const own = new Set([await selectOwnRole(database)])
  const seen: SeenServer[] = []
  const guarded: GuardedServer[] = []
  for (const server of servers.open) {
    const parts = await readServer(server.database, signal)
    const attempt = await selectOwnAttempt(server.database)
    own.add(attempt.role)
    seen.push({ host: server.host, parts })
    guarded.push(...guardedBy(server.host, parts, attempt))
  }
  const outOfReach = servers.failed.map(({ host, reason }) => ({ rule: EVERY_RULE, host, reason }))
  const takesChanges = servers.open.some(({ standing }) => !standing.isStandby)
  if (!takesChanges && outOfReach.length > 0)
    return { changes: [], left: [], notChecked: outOfReach }
  const { host } = findPrimary(servers)
  const primary = seen.find((server) => server.host === host)
  if (!primary) throw new Error('the primary was not looked at')
  requireRoles(primary, named)
  const asked = { list, acceptances, own, named: new Set(named), isUnknownIncluded }
  const plan = planRoles(primary, seen, guarded, asked)
  const plans = [
    plan,
    ...seen.map((server) =>
      planLines(
        server,
        guarded.find((each) => each.host === server.host),
        asked,
      ),
    ),
  ]
  return {
    changes: inOrder(plans.flatMap(({ changes }) => changes)),
    left: plans.flatMap(({ left }) => left),
    notChecked: [...outOfReach, ...plans.flatMap(({ notChecked }) => notChecked)],
  }
}

function requireRoles({ host, parts: { roles } }: SeenServer, named: readonly string[]): void {
  if (roles instanceof Error) return
  const unknown = named.find((name) => !roles.some((role) => role.name === name))
  if (unknown !== undefined)
    throw new NotFoundError(
      'role-not-found',
      `${host} has no role ${JSON.stringify(unknown.slice(0, 80))}`,
      { suggestions: ['give the command without --role to see the roles that differ'] },
    )
}

/** The connections that a server has to go on taking; nothing where its rules are not known. */
function guardedBy(host: string, parts: ReadParts, own: Attempt): GuardedServer[] {
  const { hba, server, memberships, sessions } = parts
  if (hba instanceof Error || server instanceof Error || memberships instanceof Error) return []
  const replication = sessions instanceof Error ? [] : sessions.filter((each) => each.isReplication)
  const keepers = [own, ...replication.map(attemptOf)]
  return [{ host, parts: { hba, server, memberships }, keepers }]
}

/** The login of a connection, to whatever server. */
async function selectOwnRole(database: Database): Promise<string> {
  const [row] = await select<{ role: string }>(database, 'select session_user as role')
  return row?.role ?? ''
}

/** The connection by which a server is looked at. */
async function selectOwnAttempt(database: Database): Promise<Attempt> {
  const [row] = await select<Pick<SessionRow, 'role' | 'database' | 'address' | 'isEncrypted'>>(
    database,
    `select session_user as role, current_database() as database, host(inet_client_addr()) as address,
       coalesce((select ssl from pg_stat_ssl where pid = pg_backend_pid()), false) as "isEncrypted"`,
  )
  if (!row) throw new Error('the server says nothing about this connection')
  return attemptOf(row)
}
