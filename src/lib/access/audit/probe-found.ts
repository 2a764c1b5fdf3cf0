import { formatAddress } from '../../network.js'
import type { Probe } from './probe.js'
import { quoteName, type Found } from './types.js'

/** A finding about a connection that was tried. */
export function foundProbe({ attempt, reach }: Probe, evidence: string): Found {
  const { role, database, from, isEncrypted } = attempt
  const whence = from === undefined ? 'the unix socket' : formatAddress(from)
  const where = database ?? 'replication'
  const came = { refused: 'was refused', asked: 'was asked for a password', in: 'was let in' }[
    reach
  ]
  return {
    subject: `role ${role} to ${where}`,
    role,
    evidence: `from ${whence} ${isEncrypted ? 'with' : 'without'} TLS ${came}: ${evidence}`,
    fix: `pg_hba.conf: put before the rule that decides: ${isEncrypted ? 'hostssl' : 'hostnossl'} ${database === undefined ? 'replication' : quoteName(database)} ${quoteName(role)} ${whence}/${from?.family === 6 ? 128 : 32} reject`,
    undo: 'pg_hba.conf: take that line out',
  }
}
