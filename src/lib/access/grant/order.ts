import { formatDuration } from '../../duration.js'
import { ConflictError, NotFoundError, UsageError } from '../../errors.js'
import { faultOfName } from '../../installation/types.js'
import type { Workspace } from '../../workspace.js'
import type { AskedServers } from '../named-servers.js'
import { selectIdentity } from './server-store.js'
import type { OpenServer } from './servers.js'
import type { GrantRow } from './store.js'
import type { GrantMethod } from './types.js'

const SHORTEST_MS = 60_000
const LONGEST_MS = 7 * 24 * 60 * 60_000

/** What is to be granted to whom. */
export interface GrantOrder {
  email: string
  forMs: number
  reason: string
  /** None: all databases of the server but the one of cleverctl. */
  databases: readonly string[]
  isReadOnly: boolean
  method: GrantMethod
  /** The primary and its standbys; none: the server of the cleverctl database. */
  servers: AskedServers
}

/** An order whose databases and servers are named. */
export type Wanted = Omit<GrantOrder, 'databases' | 'servers'> & {
  databases: string[]
  servers: string[]
}

/** @throws UsageError for an order that cannot be carried out anywhere */
export function checkOrder({ forMs, reason, email }: GrantOrder): void {
  if (forMs < SHORTEST_MS || forMs > LONGEST_MS)
    throw new UsageError(
      'bad-duration',
      `a grant is for ${formatDuration(SHORTEST_MS)} to ${formatDuration(LONGEST_MS)}`,
    )
  const fault = faultOfName(reason)
  if (fault) throw new UsageError('bad-reason', `the reason: ${fault.reason}`)
  if (email.trim() === '') throw new UsageError('invalid-email', 'the e-mail address is empty')
}

/**
 * The databases of an order, sorted. Where none is named, the database of cleverctl is none of them: who may change its
 * rows changes the list, and with it what they themselves may.
 * @throws NotFoundError for one that the server does not have
 */
export async function databasesOf(
  { database: own }: Pick<Workspace, 'database'>,
  { databases }: GrantOrder,
  { host, database, standing }: OpenServer,
): Promise<string[]> {
  const unknown = databases.find((name) => !standing.databases.includes(name))
  if (unknown !== undefined)
    throw new NotFoundError(
      'database-not-found',
      `${host} has no database ${JSON.stringify(unknown.slice(0, 80))} that takes connections`,
      { suggestions: [`databases there are: ${standing.databases.join(' ')}`] },
    )
  if (databases.length > 0) return [...new Set(databases)].sort()
  const [ours, theirs] = [await selectIdentity(own), await selectIdentity(database)]
  return standing.databases.filter((name) => ours.cluster !== theirs.cluster || ours.name !== name)
}

/** @throws ConflictError for another grant than the one that is wanted */
export function requireSame(open: GrantRow, wanted: Wanted, now: Date): void {
  const facts = (grant: Wanted) =>
    JSON.stringify([grant.servers, grant.databases, grant.isReadOnly, grant.method, grant.reason])
  const length = open.endsAt.getTime() - open.grantedAt.getTime()
  const isSame =
    facts({ ...wanted, ...open, servers: open.servers }) === facts(wanted) &&
    length === wanted.forMs
  const isOver = open.state === 'ENDING' || (open.state !== 'REQUESTED' && open.endsAt <= now)
  if (!isSame || isOver) throw grantExists(open.email)
}

/** The error for a person who has another grant. */
export function grantExists(email: string): ConflictError {
  return new ConflictError(
    'grant-exists',
    `${email} has a grant or a request already, or one that is ending`,
    {
      suggestions: [
        'cleverctl access grants',
        `cleverctl access revoke ${email}`,
        'cleverctl access expire',
      ],
    },
  )
}
