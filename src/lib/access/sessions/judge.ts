import { openingOf, type Window } from '../../campaign/window.js'
import { holds, parseAddress, parseNetwork } from '../../network.js'
import type { AccountRow } from '../../staff/store.js'
import type { SeenSession, SessionFlag, ShownSession } from './types.js'

/** A role that was made for a person for a limited time, and when it was in force. */
export interface GrantTime {
  role: string
  email: string
  grantedAt: Date
  endsAt: Date
  endedAt: Date | null
}

/** What sessions are held against. */
export interface Measure {
  accounts: readonly AccountRow[]
  grants: readonly GrantTime[]
  /** When people work, and where; undefined: at any time. */
  hours: { window: Window; timezone: string } | undefined
  /** Roles that are superuser on every server. */
  superusers: readonly string[]
  /** Roles that nobody has a reason to use. */
  decoys: ReadonlySet<string>
}

/** So many refusals of one address, or of one role by the unix socket, within this time are a storm. */
const STORM = { count: 10, withinMs: 5 * 60_000 } as const
/** Bounds of what is kept in mind; the oldest is forgotten. */
const MOST_KEYS = 10_000
const MOST_PLACES = 64

/** What the ledger tells of former times. */
export interface History {
  /** The sessions that were recorded last, in that order. */
  latest: readonly ShownSession[]
  addresses: readonly [role: string, address: string][]
  applications: readonly [role: string, application: string][]
}

/** Says who somebody was by the list as it was then, and what stands out. Sessions come in the order of their ends. */
export class SessionJudge {
  readonly #measure: Measure
  readonly #changed: (session: ShownSession) => void
  readonly #holders: Map<string, AccountRow>
  readonly #people: Map<string, AccountRow>
  /** Roles that are superuser; whoever learns of more adds them. */
  readonly superusers: Set<string>
  readonly #refusals = new Map<string, ShownSession[]>()
  readonly #places = new Map<string, ShownSession[]>()
  readonly #seen = new Map<string, Set<string>>()

  /** @param changed is given a session that was judged before and stands out in a further way */
  constructor(measure: Measure, changed: (session: ShownSession) => void = () => undefined) {
    this.#measure = measure
    this.#changed = changed
    this.superusers = new Set(measure.superusers)
    this.#holders = new Map(
      measure.accounts.flatMap((account) => account.roleNames.map((role) => [role, account])),
    )
    this.#people = new Map(
      measure.accounts
        .filter(({ kind }) => kind === 'staff')
        .map((account) => [account.handle, account]),
    )
  }

  /** Takes what the ledger knows, before the first session. */
  learn({ latest, addresses, applications }: History): void {
    for (const session of latest) {
      if (session.outcome === 'refused') this.#recentRefusals(session).push(session)
      else if (session.outcome !== 'probe') this.#addPlace(session, this.#placesOf(session))
    }
    for (const [role, address] of addresses) this.#isNew('first-address', role, address)
    for (const [role, application] of applications)
      this.#isNew('first-application', role, application)
  }

  /** Takes a session; later ones may still add flags to it. */
  judge(seen: SeenSession): ShownSession {
    const hasEntered = seen.outcome === 'ended' || seen.outcome === 'open'
    const isCertain = hasEntered && seen.role !== null && !seen.marks.includes('ambiguous-name')
    const grant = this.#grantOf(seen)
    const holder = isCertain
      ? (this.#holders.get(seen.role ?? '') ?? this.#people.get(grant?.email ?? ''))
      : undefined
    const shown = show(seen, hasEntered ? (holder?.handle ?? 'nobody') : null)
    if (this.#isDecoy(shown)) shown.flags.push('decoy-role')
    if (!hasEntered) {
      this.#judgeRefusal(shown)
      return shown
    }
    const add = (flag: SessionFlag, is: boolean) => is && shown.flags.push(flag)
    add('nobody', holder === undefined)
    add(
      'over',
      holder !== undefined &&
        (isOver(holder, seen.start) || (grant !== undefined && !isInForce(grant, seen.start))),
    )
    if (holder !== undefined) this.#judgePlace(shown, holder, seen.address)
    add('outside-hours', holder?.kind === 'staff' && this.#isOutsideHours(seen.start))
    add('superuser-without-grant', this.#isBareSuperuser(seen, holder, grant))
    if (holder?.kind !== 'service-account') this.#judgeOverlap(shown)
    this.#judgeNew(shown, 'first-address', shown.address)
    this.#judgeNew(shown, 'first-application', shown.application)
    return shown
  }

  /** Logs of stderr may name the role of a refusal in its reason alone. */
  #isDecoy({ role, failure }: ShownSession): boolean {
    const { decoys } = this.#measure
    if (role !== null) return decoys.has(role)
    const [, named] = /\b(?:user|role) "([^"]+)"/.exec(failure?.reason ?? '') ?? []
    return named !== undefined && decoys.has(named)
  }

  #grantOf({ role, start }: SeenSession): GrantTime | undefined {
    const all = this.#measure.grants.filter((grant) => grant.role === role)
    return all.find((grant) => isInForce(grant, start)) ?? all[0]
  }

  #judgePlace(
    shown: ShownSession,
    { networks }: AccountRow,
    address: string | null | undefined,
  ): void {
    if (address === undefined) shown.flags.push('address-unknown')
    // Whoever comes by the socket is on the machine already.
    else if (address !== null) {
      const from = parseAddress(address)
      const isInside = (text: string) => {
        const network = parseNetwork(text)
        return from !== undefined && network !== undefined && holds(network, from)
      }
      if (from === undefined) shown.flags.push('address-unknown')
      else if (!networks.some(isInside)) shown.flags.push('outside-networks')
    }
  }

  #isOutsideHours(start: Date): boolean {
    const { hours } = this.#measure
    if (hours === undefined) return false
    const opening = openingOf(
      hours.window,
      { timezone: hours.timezone, latitude: 0, longitude: 0 },
      start,
    )
    return opening?.isOpen !== true
  }

  /** A service account by the unix socket is how a machine looks after its own server. */
  #isBareSuperuser(
    { role, address, start }: SeenSession,
    holder: AccountRow | undefined,
    grant: GrantTime | undefined,
  ): boolean {
    if (role === null || !this.superusers.has(role)) return false
    if (grant !== undefined && isInForce(grant, start)) return false
    return !(address === null && holder?.kind === 'service-account')
  }

  #judgeRefusal(shown: ShownSession): void {
    if (shown.outcome !== 'refused') return
    const recent = this.#recentRefusals(shown)
    recent.push(shown)
    if (recent.length < STORM.count) return
    for (const each of recent) this.#add(each, 'failed-login-storm')
    recent.splice(0, recent.length - STORM.count)
  }

  /** Refusals of the same address shortly before; the list is the one that is kept. */
  #recentRefusals(shown: ShownSession): ShownSession[] {
    const key = shown.address ?? `role ${shown.role}`
    const from = Date.parse(shown.start) - STORM.withinMs
    const recent = (this.#refusals.get(key) ?? []).filter(
      (each) => Date.parse(each.start) >= from && !isSame(each, shown),
    )
    remember(this.#refusals, key, recent)
    return recent
  }

  #judgeOverlap(shown: ShownSession): void {
    const others = this.#placesOf(shown)
    for (const other of others) {
      if (other.address === shown.address || !areTogether(other, shown)) continue
      this.#add(other, 'two-places')
      this.#add(shown, 'two-places')
    }
    this.#addPlace(shown, others)
  }

  #placesOf(shown: ShownSession): ShownSession[] {
    return (this.#places.get(shown.role ?? '') ?? []).filter((each) => !isSame(each, shown))
  }

  #addPlace(shown: ShownSession, others: readonly ShownSession[]): void {
    remember(this.#places, shown.role ?? '', [...others, shown].slice(-MOST_PLACES))
  }

  #judgeNew(shown: ShownSession, flag: SessionFlag, value: string | null): void {
    if (shown.role !== null && this.#isNew(flag, shown.role, value ?? '')) this.#add(shown, flag)
  }

  /** Whether a role that was seen before was never seen with this value. */
  #isNew(flag: SessionFlag, role: string, value: string): boolean {
    const key = `${flag} ${role}`
    const known = this.#seen.get(key) ?? new Set<string>()
    const isNew = known.size > 0 && !known.has(value)
    if (known.size < MOST_KEYS) known.add(value)
    remember(this.#seen, key, known)
    return isNew
  }

  #add(session: ShownSession, flag: SessionFlag): void {
    if (session.flags.includes(flag)) return
    session.flags.push(flag)
    this.#changed(session)
  }
}

function show(seen: SeenSession, who: string | null): ShownSession {
  const { role, database, application, method, rule, tls, outcome, failure, server, id } = seen
  return {
    ...{ who, role, database, application, method, rule },
    address: seen.address ?? null,
    tls,
    replication: seen.isReplication,
    start: seen.start.toISOString(),
    end: seen.end?.toISOString() ?? null,
    outcome,
    failure,
    flags: [...seen.marks],
    server,
    id,
  }
}

function isOver({ removedAt, until }: AccountRow, at: Date): boolean {
  return (
    (removedAt !== null && removedAt <= at) ||
    (until !== null && until < at.toISOString().slice(0, 10))
  )
}

function isInForce({ grantedAt, endsAt, endedAt }: GrantTime, at: Date): boolean {
  // The server's clock need not be ours to the second.
  return (
    at.getTime() >= grantedAt.getTime() - 1000 &&
    at <= endsAt &&
    (endedAt === null || at <= endedAt)
  )
}

function areTogether(one: ShownSession, other: ShownSession): boolean {
  return (one.end ?? '9') > other.start && (other.end ?? '9') > one.start
}

function isSame(one: ShownSession, other: ShownSession): boolean {
  return one.id === other.id && one.server === other.server && one.start === other.start
}

/** Puts a value last and forgets the first ones. */
function remember<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key)
  map.set(key, value)
  if (map.size <= MOST_KEYS) return
  const [first] = map.keys()
  if (first !== undefined) map.delete(first)
}
