import type { Secret } from '../../secret.js'
import type { SshSession } from '../../ssh/session.js'

/** What a router shows of itself to whoever changes its secrets. */
export interface RouterView {
  /** The change that is open on the router, whoever made it. */
  open: { state: OpenState; id: string } | undefined
  /** How the change before ended. */
  last: { outcome: 'confirmed' | 'undone'; id: string } | undefined
  /** Edits that somebody has not saved. */
  staged: number
  accessPoints: readonly AccessPoint[]
  /** Passphrases that work beside those of the access points, under the same name. */
  extras: readonly { section: string; digest: string }[]
  /** Salted digests of what the router keeps of its accounts' passwords, where it shows that. */
  accounts: readonly { name: string; digest: string }[]
  /** What is on air. */
  onAir: readonly { isUp: boolean; stations: number; ssid: string }[]
}

/** `begun`: nothing is changed yet. `armed`: it goes back by itself. `undoing`, `confirmed`: to be finished. */
export type OpenState = 'begun' | 'armed' | 'undoing' | 'confirmed'

/** A Wi-Fi that a router offers. */
export interface AccessPoint {
  section: string
  /** Neither it nor its radio is switched off. */
  isOn: boolean
  encryption: string
  /** SHA-256 of the salt and the passphrase, in hexadecimal; undefined: there is none. */
  digest: string | undefined
  ssid: string
  overlap: Overlap
}

/**
 * How loggers can move to a new passphrase one by one: it works beside the old one under the same name, or in a second
 * Wi-Fi with a name of its own; else why they cannot.
 */
export type Overlap = 'passphrase' | 'wifi' | { impossible: string }

/** One thing to change. */
export type Order =
  | { set: 'passphrase'; section: string; secret: Secret }
  | { set: 'ssid'; section: string; ssid: string }
  /** `beside`: the access points that take it as well. */
  | { add: 'extra'; section: string; secret: Secret; beside: readonly string[] }
  /** A second Wi-Fi, in all else like that of the access point `like`. */
  | { add: 'wifi'; section: string; like: string; ssid: string; secret: Secret }
  /** Takes either of them off. */
  | { remove: 'extra'; section: string }
  /** `former`: the recorded one, for routers that cannot put back what they show nobody. */
  | { set: 'password'; account: string; secret: Secret; former: Secret | undefined }

/**
 * How the secrets of one kind of router are changed: armed first, so that the router goes back by itself; then
 * applied; then confirmed over a new connection. Each may be cut off at any moment.
 */
export interface Changer {
  /** The accounts that get the password of whoever logs in. */
  accounts(username: string): readonly string[]
  /** Looks, and changes nothing. @param salt letters and digits, new each time */
  look(session: SshSession, change: { id: string; salt: string }): Promise<RouterView>
  /**
   * From now on the router undoes this change by itself after so many seconds, also after a power cut.
   * @throws ConflictError when another change is open or somebody edits; FailureError for a full flash
   */
  arm(
    session: SshSession,
    change: {
      id: string
      seconds: number
      wireless: boolean
      accounts: readonly string[]
      /** What will be applied. */
      orders: readonly Order[]
    },
  ): Promise<void>
  /** Carries the orders out. @throws ConflictError and FailureError: to be undone then */
  apply(session: SshSession, change: { id: string; orders: readonly Order[] }): Promise<void>
  /** @returns whether it stays; false when the router has gone back, or is about to */
  confirm(session: SshSession, id: string): Promise<boolean>
  /** @returns whether it is undone; false when it is confirmed already, or another one is open */
  undo(session: SshSession, id: string): Promise<boolean>
}
