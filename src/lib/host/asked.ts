import { UsageError } from '../errors.js'
import type { Secret } from '../secret.js'
import { parseFingerprint } from '../ssh/host-key.js'
import { readIdentity } from '../ssh/identity.js'
import type { HostKeyType } from '../ssh/types.js'
import type { HostToAdd } from './add.js'
import type {
  BackupEngine,
  Basebackup,
  HostRole,
  PostgresqlPlace,
  SnapshotDriver,
} from './types.js'

/** A host as its flags describe it. */
export interface HostFlags {
  role: HostRole
  address: string
  port: number
  username?: string | undefined
  identity?: string | undefined
  'host-key'?: string | undefined
  'host-key-type'?: HostKeyType | undefined
  location?: string | undefined
  stanza: string
  'postgresql-port'?: number | undefined
  'data-directory'?: string | undefined
  'snapshot-driver'?: SnapshotDriver | undefined
  'snapshot-directory'?: string | undefined
  'backup-engine'?: BackupEngine | undefined
  'backup-directory'?: string | undefined
  'replication-role'?: string | undefined
  offline: boolean
  replace: boolean
}

/** Who owns the data on a host of this kind, in Debian's packages. */
const USERNAMES: Record<HostRole, string> = { database: 'postgres', backup: 'pgbackrest' }
const POSTGRESQL_PORT = 5432
const REPLICATION_ROLE = 'replicator'

/**
 * Reads what flags say of a host, and the private key that they name.
 * @param passphrase asks for the one of an encrypted key
 * @throws UsageError for anything that cannot be read, and for flags that do not fit the role
 */
export async function readHostFlags(
  name: string,
  flags: HostFlags,
  passphrase: () => Promise<Secret>,
): Promise<HostToAdd> {
  const { role, address, port, stanza, identity: path } = flags
  const { 'host-key': hostKey, 'host-key-type': hostKeyType, location } = flags
  const { 'snapshot-driver': driver, 'snapshot-directory': directory } = flags
  const postgresql = postgresqlOf(flags)
  return {
    name,
    role,
    address,
    port,
    username: flags.username ?? USERNAMES[role],
    location: location ?? null,
    stanza,
    postgresql,
    snapshot: driver === undefined || directory === undefined ? null : { driver, directory },
    basebackup: basebackupOf(flags),
    fingerprint: hostKey === undefined ? undefined : parseFingerprint(hostKey),
    hostKeyType,
    identity: path === undefined ? undefined : await readIdentity(path, '--identity', passphrase),
    isOffline: flags.offline,
    isReplacing: flags.replace,
  }
}

function postgresqlOf(flags: HostFlags): PostgresqlPlace | null {
  const { 'data-directory': dataDirectory, 'postgresql-port': port } = flags
  if (flags.role === 'database') {
    if (dataDirectory !== undefined) return { port: port ?? POSTGRESQL_PORT, dataDirectory }
    throw new UsageError('missing-flag', 'a database host has a data directory', {
      suggestions: ['--data-directory /var/lib/postgresql/15/main'],
    })
  }
  const surplus = (['data-directory', 'postgresql-port', 'snapshot-driver'] as const).find(
    (each) => flags[each] !== undefined,
  )
  if (surplus === undefined) return null
  throw new UsageError('surplus-flag', `--${surplus} belongs to a database host`)
}

function basebackupOf(flags: HostFlags): Basebackup | null {
  const { 'backup-directory': directory, 'replication-role': role, 'backup-engine': engine } = flags
  const isCopying = engine === 'pg_basebackup'
  if (isCopying && flags.role === 'database')
    throw new UsageError('surplus-flag', '--backup-engine belongs to a backup machine')
  if (isCopying && directory === undefined)
    throw new UsageError('missing-flag', 'pg_basebackup keeps backups in a directory', {
      suggestions: ['--backup-directory /srv/backups'],
    })
  if (isCopying && directory !== undefined) return { directory, role: role ?? REPLICATION_ROLE }
  const surplus = (['backup-directory', 'replication-role'] as const).find(
    (each) => flags[each] !== undefined,
  )
  if (surplus === undefined) return null
  throw new UsageError('surplus-flag', `--${surplus} belongs to --backup-engine pg_basebackup`)
}
