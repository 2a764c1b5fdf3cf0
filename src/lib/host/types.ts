import { NotFoundError, UsageError } from '../errors.js'
import { refuseFault, type Fault } from '../fault.js'
import { faultOfAddress, faultOfPort, faultOfUsername } from '../ssh/address.js'
import type { HostKey } from '../ssh/types.js'

/** What a host is for. Which database host is primary is asked of PostgreSQL, never written down. */
export const HOST_ROLES = ['database', 'backup'] as const
/** One of {@link HOST_ROLES}. */
export type HostRole = (typeof HOST_ROLES)[number]

/** How a database host makes snapshots of its data directory. */
export const SNAPSHOT_DRIVERS = ['btrfs', 'zfs', 'lvm', 'reflink'] as const
/** One of {@link SNAPSHOT_DRIVERS}. */
export type SnapshotDriver = (typeof SNAPSHOT_DRIVERS)[number]

/** What makes backups on a backup machine. */
export const BACKUP_ENGINES = ['pgbackrest', 'pg_basebackup'] as const
/** One of {@link BACKUP_ENGINES}. */
export type BackupEngine = (typeof BACKUP_ENGINES)[number]

/** Where pg_basebackup keeps backups on a backup machine, and as which role of the databases it copies. */
export interface Basebackup {
  directory: string
  role: string
}

/** PostgreSQL on a database host. */
export interface PostgresqlPlace {
  /** Of its unix socket as well. */
  port: number
  dataDirectory: string
}

/** What is recorded of a host beside the key that opens it. */
export interface HostFacts {
  name: string
  role: HostRole
  address: string
  port: number
  username: string
  hostKey: HostKey
  /** Where the machine stands: two copies in one place burn together. Null where nobody said. */
  location: string | null
  /** What pgBackRest calls the cluster. */
  stanza: string
  /** Null for a backup machine. */
  postgresql: PostgresqlPlace | null
  /** Null where no snapshots are made. */
  snapshot: { driver: SnapshotDriver; directory: string } | null
  /** Null on a database host, and where pgBackRest makes the backups. */
  basebackup: Basebackup | null
}

const NAME_FORM = /^[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?$/
const STANZA_FORM = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/
/** No character that a shell or a configuration file reads in another way. */
const PATH_FORM = /^\/(?:[A-Za-z0-9._-]+\/)*[A-Za-z0-9._-]+$/
const LOCATION_FORM = /^[\p{L}\p{N}][\p{L}\p{N} ._-]*$/u
const MAX_LOCATION_BYTES = 100

/**
 * Refuses facts that no host can have.
 * @throws UsageError that names what is wrong
 */
export function requireSoundFacts(facts: Omit<HostFacts, 'hostKey'>): void {
  const { name, address, port, username, stanza, location, postgresql, snapshot, basebackup } =
    facts
  refuseFault(
    faultOfName(name) ??
      faultOfAddress(address) ??
      faultOfPort(port) ??
      faultOfUsername(username) ??
      faultOfStanza(stanza) ??
      (location === null ? undefined : faultOfLocation(location)) ??
      (postgresql && (faultOfPort(postgresql.port) ?? faultOfPath(postgresql.dataDirectory))) ??
      (snapshot ? faultOfPath(snapshot.directory) : undefined) ??
      (basebackup
        ? (faultOfPath(basebackup.directory) ?? faultOfRole(basebackup.role))
        : undefined),
  )
  if (postgresql !== null && snapshot !== null) refuseNested(postgresql, snapshot)
}

function faultOfName(name: string): Fault | undefined {
  if (NAME_FORM.test(name)) return undefined
  const reason = 'a host is named by small letters, digits, dots and hyphens, 63 at most'
  return { code: 'bad-name', reason }
}

function faultOfStanza(stanza: string): Fault | undefined {
  if (STANZA_FORM.test(stanza)) return undefined
  const reason = 'a stanza is named by letters, digits, hyphens and underscores, 63 at most'
  return { code: 'bad-stanza', reason }
}

function faultOfLocation(location: string): Fault | undefined {
  const isGood = LOCATION_FORM.test(location) && Buffer.byteLength(location) <= MAX_LOCATION_BYTES
  if (isGood) return undefined
  const reason = `a location is letters, digits, spaces, dots and hyphens, ${MAX_LOCATION_BYTES} bytes at most`
  return { code: 'bad-location', reason }
}

/** It becomes part of a connection string of libpq. */
function faultOfRole(role: string): Fault | undefined {
  if (/^[a-z_][a-z0-9_]{0,62}$/.test(role)) return undefined
  const reason = 'a role for replication is named by small letters, digits and underscores'
  return { code: 'bad-role', reason }
}

/** What is wrong with a path on a host. */
export function faultOfPath(path: string): Fault | undefined {
  const hasDots = path.split('/').some((part) => part === '.' || part === '..')
  if (PATH_FORM.test(path) && !hasDots) return undefined
  const reason = `a directory is an absolute path of letters, digits, dots, hyphens and underscores, without a slash at its end: ${path}`
  return { code: 'bad-directory', reason }
}

/** A snapshot inside the data directory would be in every later snapshot and every backup. */
function refuseNested(
  { dataDirectory }: PostgresqlPlace,
  { directory }: { directory: string },
): void {
  if (`${directory}/`.startsWith(`${dataDirectory}/`))
    throw new UsageError('nested-directory', 'snapshots cannot be kept inside the data directory')
}

/** The error for a name that no host has. */
export function unknownHost(name: string): NotFoundError {
  return new NotFoundError('host-not-found', `no host is recorded as ${name}`, {
    suggestions: ['cleverctl host list', `cleverctl host add ${name} --role database`],
  })
}

/** Which cluster is meant, in a message; nothing where none was named. */
export function ofStanza(stanza: string | undefined): string {
  return stanza === undefined ? '' : ` of the stanza ${stanza}`
}
