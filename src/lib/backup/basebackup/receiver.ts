import type { SeenPostgresql } from '../../cluster/ask.js'
import { parseLsn } from '../../cluster/lsn.js'
import type { HostFacts } from '../../host/types.js'

const LONGEST_SLOT = 63

/** The replication slot that keeps WAL until the backup machine has it. */
export function slotOf(stanza: string): string {
  return `cleverctl_${stanza.toLowerCase().replaceAll('-', '_')}`.slice(0, LONGEST_SLOT)
}

/**
 * How libpq reaches database hosts for a copy. The password stands in ~/.pgpass on the backup machine.
 * @param hosts several: the one that takes writes
 */
export function connectionTo(
  hosts: readonly Pick<HostFacts, 'address' | 'postgresql'>[],
  role: string,
): string {
  const list = (of: (host: (typeof hosts)[number]) => unknown) => hosts.map(of).join(',')
  const words = [
    `host=${list(({ address }) => address)}`,
    `port=${list(({ postgresql }) => postgresql?.port)}`,
    `user=${role}`,
    'application_name=cleverctl',
    // A machine without power says nothing.
    'connect_timeout=10',
    'keepalives_idle=30',
    'keepalives_interval=10',
    'keepalives_count=3',
    'tcp_user_timeout=60000',
  ]
  return [...words, ...(hosts.length > 1 ? ['target_session_attrs=primary'] : [])].join(' ')
}

/** Up to where the primary knows WAL to be on the backup machine; undefined where nobody receives it. */
export function receivedUntil(primary: SeenPostgresql, stanza: string): bigint | undefined {
  const slot = primary.slots.find(({ name }) => name === slotOf(stanza))
  if (slot?.active !== true || slot.retainedBytes === null) return undefined
  return parseLsn(primary.lsn) - BigInt(slot.retainedBytes)
}

/** What a backup machine receives WAL by: receive.sh. */
export const RECEIVE_PROGRAM = '/usr/local/sbin/cleverctl-receive'

/** The service by which a backup machine receives the WAL of a cluster. */
export function receiverName(stanza: string): string {
  return `cleverctl-receive-${stanza}`
}

/**
 * The unit of systemd by which a backup machine receives WAL. It ends when it lost the primary, and is begun again:
 * the new one may not have the slot yet.
 */
export function receiverUnit(given: {
  stanza: string
  user: string
  programs: string
  directory: string
  connection: string
}): { path: string; text: string } {
  const { stanza, user, programs, directory, connection } = given
  const words = `${programs} ${directory} ${slotOf(stanza)} "${connection}"`
  const text = `[Unit]
Description=Receive the WAL of ${stanza}
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
User=${user}
UMask=0077
ExecStart=${RECEIVE_PROGRAM} ${words}
Restart=always
RestartSec=5
NoNewPrivileges=yes

[Install]
WantedBy=multi-user.target
`
  return { path: `/etc/systemd/system/${receiverName(stanza)}.service`, text }
}
