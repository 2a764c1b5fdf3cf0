import { ConflictError, NotFoundError, UsageError } from '../errors.js'
import { faultOfName } from '../installation/types.js'
import { tryParseEmail } from '../installer/types.js'
import { formatNetwork, isWholeNetwork, parseNetwork } from '../network.js'
import type { Fault } from '../fault.js'

/** A person, or the database roles of a program. */
export type AccountKind = 'staff' | 'service-account'

/** What the list says about a member of staff or a service account. */
export interface AccountFacts {
  kind: AccountKind
  /** The e-mail address of a person, the name of a service account. */
  handle: string
  /** The name of a person, the purpose of a service account. */
  description: string
  /** E-mail address of the member of staff who answers for a service account; null for a person. */
  owner: string | null
  /** Its roles on database servers, sorted. */
  roleNames: string[]
  /** From where it may come, sorted; none: only by the unix socket of a server. */
  networks: string[]
  /** The last day (UTC) of its right to come; null where there is no end. */
  until: string | null
}

/** `over`: its last day is past. */
export type AccountState = 'valid' | 'over' | 'removed'

/** The list in words, for messages. */
export const KIND_WORDS: Record<AccountKind, string> = {
  staff: 'member of staff',
  'service-account': 'service account',
}

/** PostgreSQL cuts longer names. */
const ROLE_NAME_BYTES = 63
const SERVICE_NAME = /^[a-z0-9][a-z0-9_.-]{0,62}$/
const DAY = /^\d{4}-\d{2}-\d{2}$/

/** Facts as they were typed or read from a file. */
export interface GivenFacts {
  kind: AccountKind
  handle: string
  description: string
  owner: string | null
  roleNames: readonly string[]
  networks: readonly string[]
  until: string | null
}

/** Brings facts into the form in which they are kept, or says what is wrong with them. */
export function readFacts(given: GivenFacts): AccountFacts | Fault {
  const handle = given.kind === 'staff' ? tryParseEmail(given.handle) : given.handle
  if (handle === undefined)
    return {
      code: 'invalid-email',
      reason: 'this is no e-mail address such as engineer@example.com',
    }
  if (given.kind === 'service-account' && !SERVICE_NAME.test(handle))
    return {
      code: 'bad-name',
      reason:
        'the name of a service account is 1 to 63 small letters, digits, dots, hyphens and underscores',
    }
  const owner = given.owner === null ? null : tryParseEmail(given.owner)
  if (owner === undefined)
    return {
      code: 'invalid-email',
      reason: 'the owner is no e-mail address such as engineer@example.com',
    }
  const networks = given.networks.map(readNetwork)
  const until = given.until === null ? null : readDay(given.until)
  const fault =
    faultOfName(given.description) ??
    given.roleNames.map(faultOfRoleName).find((each) => each !== undefined) ??
    networks.find(isFault) ??
    (isFault(until) ? until : undefined)
  if (fault) return fault
  if (given.roleNames.length === 0)
    return {
      code: 'missing-field',
      reason: 'without a role name nobody can be recognised on a server',
    }
  return {
    kind: given.kind,
    handle,
    description: given.description,
    owner,
    roleNames: sorted(given.roleNames),
    networks: sorted(networks.filter((each) => typeof each === 'string')),
    until: isFault(until) ? null : until,
  }
}

/** The same for what a person typed. Throws UsageError naming the fault. */
export function parseFacts(given: GivenFacts): AccountFacts {
  const facts = readFacts(given)
  if (isFault(facts)) throw new UsageError(facts.code, facts.reason)
  return facts
}

/** Whether reading ended in a fault. */
export function isFault(value: unknown): value is Fault {
  return typeof value === 'object' && value !== null && 'reason' in value
}

/** Which facts differ, in words; undefined when all are the same. */
export function differenceOf(one: AccountFacts, other: AccountFacts): string | undefined {
  const fields = { description: 'name or purpose', owner: 'owner', until: 'last day' } as const
  const different: string[] = (['description', 'owner', 'until'] as const)
    .filter((field) => one[field] !== other[field])
    .map((field) => fields[field])
  if (one.roleNames.join('\n') !== other.roleNames.join('\n')) different.push('role names')
  if (spelled(one.networks) !== spelled(other.networks)) different.push('networks')
  return different.length === 0 ? undefined : different.join(', ')
}

/** The state at a moment; the last day ends with it, by UTC. */
export function accountState(
  account: { until: string | null; removedAt: Date | null },
  now: Date,
): AccountState {
  if (account.removedAt) return 'removed'
  return account.until !== null && now.toISOString().slice(0, 10) > account.until ? 'over' : 'valid'
}

/** The error for a handle that is not on the list. */
export function unknownAccount(kind: AccountKind, handle: string): NotFoundError {
  return new NotFoundError(
    `${kind}-not-found`,
    `no ${KIND_WORDS[kind]} is called ${JSON.stringify(handle.slice(0, 80))}`,
    { suggestions: [`cleverctl ${kind} list`] },
  )
}

/** The error for an entry that is there with other facts. */
export function existsDifferently(facts: AccountFacts, difference: string): ConflictError {
  const { kind, handle } = facts
  return new ConflictError(
    `${kind}-exists`,
    `${KIND_WORDS[kind]} ${handle} exists with other facts: ${difference}`,
    { suggestions: [`cleverctl ${kind} show ${handle}`, 'the same command with --replace'] },
  )
}

function readNetwork(text: string): string | Fault {
  const network = parseNetwork(text)
  const code = 'bad-network'
  if (!network)
    return { code, reason: `${excerpt(text)} is no network such as 10.77.0.0/24, nor an address` }
  if (isWholeNetwork(network)) return formatNetwork(network)
  return { code, reason: `${excerpt(text)} has bits set to the right of its prefix` }
}

/** A day such as 2027-12-31, or what is wrong with it. */
export function readDay(text: string): string | Fault {
  const isDay = DAY.test(text) && new Date(`${text}T00:00:00Z`).toJSON()?.startsWith(text) === true
  return isDay
    ? text
    : { code: 'bad-date', reason: `${excerpt(text)} is no day such as 2027-12-31` }
}

function faultOfRoleName(name: string): Fault | undefined {
  const isGood =
    name !== '' && Buffer.byteLength(name) <= ROLE_NAME_BYTES && !/[\p{Cc}\p{Cs}]/u.test(name)
  const reason = `a role name is 1 to ${ROLE_NAME_BYTES} bytes without control characters`
  if (!isGood) return { code: 'bad-role-name', reason }
  // These belong to PostgreSQL and can never log in as somebody.
  return name.startsWith('pg_') || name === 'public' || name === 'none'
    ? { code: 'bad-role-name', reason: `${name} is a name that PostgreSQL keeps for itself` }
    : undefined
}

/** Networks in one spelling: PostgreSQL writes some addresses of IPv6 otherwise. */
function spelled(networks: readonly string[]): string {
  return sorted(
    networks.map((text) => {
      const network = parseNetwork(text)
      return network ? formatNetwork(network) : text
    }),
  ).join()
}

function sorted(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort()
}

function excerpt(text: string): string {
  return JSON.stringify(text.slice(0, 80))
}
