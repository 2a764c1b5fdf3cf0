/**
 * REQUESTED: waits for a second member of staff, and nothing is made of it on any server. PLANNED: written down, and perhaps in force already. ACTIVE: seen in force. ENDING: over, and perhaps not yet
 * everywhere. ENDED: seen to be over on every server.
 */
export type GrantState = 'REQUESTED' | 'PLANNED' | 'ACTIVE' | 'ENDING' | 'ENDED'

/** Why a grant ended; the last two are requests that came to nothing. */
export type GrantEnd = 'expired' | 'revoked' | 'denied' | 'lapsed'

/** What a granted login proves itself by. */
export type GrantMethod = 'password' | 'certificate'

/** How pg_hba.conf calls that. With `cert` the certificate has to name the role (clientcert=verify-full). */
export const HBA_METHODS: Record<GrantMethod, string> = {
  password: 'scram-sha-256',
  certificate: 'cert',
}

/** The group of all roles that are granted; a rule of pg_hba.conf may name it. */
export const GRANTED_GROUP = 'cleverctl_granted'

/** A grant as results show it. */
export interface ShownGrant {
  id: string
  email: string
  role: string
  /** URLs of the servers, and `host:NAME` for recorded hosts; empty: the server of the cleverctl database. */
  servers: string[]
  databases: string[]
  readOnly: boolean
  method: GrantMethod
  reason: string
  state: GrantState
  /** Of a request: when it would end if it were approved at the moment it was made. */
  endsAt: string
  grantedAt: string
  endedAt: string | null
  endReason: GrantEnd | null
  /** E-mail addresses of those who asked for it and who approved; null where no approval was needed. */
  requestedBy: string | null
  approvedBy: string | null
  /** Until when a request waits; null where no approval was needed. */
  lapsesAt: string | null
}

/** Whether pg_hba.conf of a server lets a granted role come from a network of its person. */
export interface Admission {
  host: string
  network: string
  database: string
  /** `let in`: over TLS with a proof. `refused`: a rule is missing. `unknown`: that cannot be told. */
  standing: 'let in' | 'refused' | 'unknown'
  /** The line that would let it in. */
  line: string
}
