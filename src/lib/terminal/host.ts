import type { HostFacts } from '../host/types.js'

/** A host's facts for `screen.facts`, its name first. */
export function hostFacts(
  host: HostFacts & { identity: string | null },
): (readonly [label: string, value: string])[] {
  const { postgresql, snapshot, basebackup } = host
  return [
    ['host', host.name],
    ['role', host.role],
    ['address', `${host.username}@${host.address} port ${host.port}`],
    ['host key', `${host.hostKey.type} ${host.hostKey.fingerprint}`],
    ['opened by', host.identity ?? 'your ssh-agent'],
    ['location', host.location ?? '-'],
    ['stanza', host.stanza],
    ...(postgresql
      ? [
          ['PostgreSQL', `port ${postgresql.port}`] as const,
          ['data directory', postgresql.dataDirectory] as const,
          ['snapshots', snapshot ? `${snapshot.driver} in ${snapshot.directory}` : 'none'] as const,
        ]
      : []),
    ...(basebackup
      ? [['backups', `pg_basebackup as ${basebackup.role}, in ${basebackup.directory}`] as const]
      : []),
  ]
}
