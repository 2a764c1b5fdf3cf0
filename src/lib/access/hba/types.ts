import type { Address } from '../../network.js'

/** Which connections a line of pg_hba.conf is about. */
export type ConnectionType =
  'local' | 'host' | 'hostssl' | 'hostnossl' | 'hostgssenc' | 'hostnogssenc'

/** A word of a line. In quotes a keyword loses its meaning. */
export interface Token {
  text: string
  isQuoted: boolean
}

/** The addresses a line is about. */
export type RuleAddress =
  | { kind: 'all' | 'samehost' | 'samenet' }
  | { kind: 'masked'; network: Address; mask: bigint }
  /** Resolved by the server at each connection, so that nothing is known about it here. */
  | { kind: 'hostname'; name: string }

/** One rule of pg_hba.conf. */
export interface HbaRule {
  /** Empty where the server does not tell (before PostgreSQL 16). */
  file: string
  line: number
  type: ConnectionType
  databases: readonly Token[]
  users: readonly Token[]
  /** Undefined for a local rule. */
  address: RuleAddress | undefined
  method: string
  options: readonly string[]
}

/** A connection that somebody might make. */
export interface Attempt {
  role: string
  /** Undefined: physical replication, which has no database. */
  database: string | undefined
  /** Undefined: by the unix socket. */
  from: Address | undefined
  /** Whether it is encrypted by TLS. Encryption by GSSAPI is not simulated. */
  isEncrypted: boolean
}

/** An address of the server's machine, with the mask of its interface. */
export interface ServerAddress {
  address: Address
  mask: bigint
}

/** What rules are matched with, beside themselves. */
export interface HbaFacts {
  /** Whether a role is a member of another, directly or not, or is that role. */
  isMember(role: string, of: string): boolean
  /** Whether a name matches an expression of PostgreSQL 16; undefined where that is not known. */
  matches(expression: string, name: string): boolean | undefined
  /** Whether the server reads words that begin with a slash as expressions: PostgreSQL 16 and later. */
  hasExpressions: boolean
  /** Undefined where they are not known. */
  interfaces: readonly ServerAddress[] | undefined
}
