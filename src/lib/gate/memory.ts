import { isDeepStrictEqual } from 'node:util'
import { LRUCache } from 'lru-cache'
import type { VerificationKeys } from '../signing-key/verification-keys.js'
import type { DeviceClaims } from '../token/types.js'
import type { StoredDevice, StoredKey } from './store.js'

/**
 * How long a heartbeat of the listener vouches for what is remembered, in milliseconds. A revocation must
 * be seen within a second, on a connection that fell silent too.
 */
const TRUST_MS = 900

/** Some 500 bytes each; a fleet larger than this is served just as well, with more questions to the database. */
const DEVICES_MAX = 100_000
const KEYS_MAX = 50_000

/** A key and a token that were found to be authentic, each for itself. */
export interface VerifiedCredentials {
  key: StoredKey
  claims: DeviceClaims
}

/** Credentials that were verified before, with the rows they lead to. */
export interface Remembered extends VerifiedCredentials {
  device: StoredDevice
}

/**
 * What the gate remembers of the database, so that most arrivals need no question to it.
 *
 * It serves only to say yes: before a no, the database is asked. And it serves only while the listener
 * vouches for it (`vouch`): nothing is remembered from a time when a notification could have been missed.
 */
export class Memory {
  readonly #keys = new LRUCache<string, StoredKey>({ max: KEYS_MAX })
  readonly #devices = new LRUCache<string, StoredDevice>({ max: DEVICES_MAX })
  readonly #credentials = new LRUCache<string, VerifiedCredentials>({ max: DEVICES_MAX })
  #verificationKeys: VerificationKeys | undefined
  #askingKeys: { generation: number; answer: Promise<VerificationKeys> } | undefined
  /** Raised by everything that became untrue, so that an answer asked for before it is not remembered. */
  #generation = 0
  #trustedUntil = 0
  readonly #monotonic: () => number

  /** @param monotonic a clock in milliseconds that nobody sets */
  constructor(monotonic: () => number = () => performance.now()) {
    this.#monotonic = monotonic
  }

  /** Whether no notification can have been missed up to a second ago. */
  get isTrusted(): boolean {
    return this.#monotonic() < this.#trustedUntil
  }

  /** The listener got an answer to a heartbeat that it sent at `sentAt` of the monotonic clock. */
  vouch(sentAt: number): void {
    this.#trustedUntil = sentAt + TRUST_MS
  }

  /** Forgets everything, and remembers nothing more until the listener vouches again. */
  distrust(): void {
    this.#trustedUntil = 0
    this.#generation += 1
    this.#keys.clear()
    this.#devices.clear()
    this.#forgetSigningKeys()
  }

  /**
   * Forgets what a notification says became untrue.
   * @param payload kind:identity, as the triggers send it
   */
  invalidate(payload: string): void {
    this.#generation += 1
    const [kind, identity = ''] = payload.split(/:(.*)/s)
    if (kind === 'api-key') this.#keys.delete(identity)
    // Rare, and the rows of keys hold their installation's.
    else if (kind === 'installation') this.#keys.clear()
    else if (kind === 'device') this.#devices.delete(identity)
    else if (kind === 'signing-key') this.#forgetSigningKeys()
  }

  /** The API key with this id, if remembered. */
  key(keyId: string): StoredKey | undefined {
    return this.isTrusted ? this.#keys.get(keyId) : undefined
  }

  /**
   * What key and token stood for when they were last seen together, with the rows as they are still
   * remembered. Undefined as soon as any part is not.
   * @param digest of both texts, see {@link rememberCredentials}
   */
  recall(digest: string): Remembered | undefined {
    if (!this.isTrusted) return undefined
    const verified = this.#credentials.get(digest)
    if (verified === undefined) return undefined
    const { key, claims } = verified
    // Another row of the same key has another digest, perhaps, and the text was never held against that.
    if (this.#keys.get(key.keyId) !== key) return undefined
    const device = this.#devices.get(claims.serial)
    return device && { key, claims, device }
  }

  /** The public keys of tokens, if remembered. */
  get verificationKeys(): VerificationKeys | undefined {
    return this.isTrusted ? this.#verificationKeys : undefined
  }

  /** Asks the database for a key and remembers the answer. What does not exist is not remembered. */
  async askKey(keyId: string, ask: () => Promise<StoredKey | undefined>) {
    return this.#ask(ask, (key) => {
      const known = this.#keys.get(keyId)
      // The same row stays the same object: verified credentials hold on to it.
      if (known !== undefined && isDeepStrictEqual(known, key)) return known
      this.#keys.set(keyId, key)
      return key
    })
  }

  /** Asks the database for a device and remembers the answer. What does not exist is not remembered. */
  async askDevice(serial: string, ask: () => Promise<StoredDevice | undefined>) {
    return this.#ask(ask, (device) => {
      this.#devices.set(serial, device)
      return device
    })
  }

  /** Asks the database for the public keys and remembers the answer. Callers at the same time share one question. */
  async askVerificationKeys(ask: () => Promise<VerificationKeys>): Promise<VerificationKeys> {
    const asking = this.#askingKeys
    if (asking && this.isTrusted && asking.generation === this.#generation) return asking.answer
    const answer = this.#ask(ask, (keys) => {
      const known = this.#verificationKeys
      if (known !== undefined && areSame(known, keys)) return known
      this.#verificationKeys = keys
      // What was verified with other keys has to be verified with these.
      this.#credentials.clear()
      return keys
    })
    const question = { generation: this.#generation, answer }
    this.#askingKeys = question
    try {
      return await answer
    } finally {
      if (this.#askingKeys === question) this.#askingKeys = undefined
    }
  }

  /**
   * Remembers until the token expires that this text of a key is the row's and that this token is authentic.
   * @param digest SHA-256 of both texts
   * @param keys the public keys that the token was verified with
   */
  rememberCredentials(
    digest: string,
    verified: VerifiedCredentials,
    lifeMs: number,
    keys: VerificationKeys,
  ): void {
    if (lifeMs <= 0 || !this.isTrusted || keys !== this.#verificationKeys) return
    if (this.#keys.get(verified.key.keyId) !== verified.key) return
    this.#credentials.set(digest, verified, { ttl: lifeMs })
  }

  async #ask<Answer>(
    ask: () => Promise<Answer>,
    remember: (answer: NonNullable<Answer>) => Answer,
  ): Promise<Answer> {
    const generation = this.#generation
    const wasTrusted = this.isTrusted
    const answer = await ask()
    const isCurrent = wasTrusted && this.isTrusted && generation === this.#generation
    return isCurrent && answer !== undefined && answer !== null ? remember(answer) : answer
  }

  #forgetSigningKeys(): void {
    this.#verificationKeys = undefined
    this.#credentials.clear()
  }
}

/** A stranger's kid makes the gate ask again; that must not cost everybody else their verified tokens. */
function areSame(some: VerificationKeys, others: VerificationKeys): boolean {
  if (some.size !== others.size) return false
  return [...some].every(([kid, { state, verifyUntil }]) => {
    const other = others.get(kid)
    return other?.state === state && other.verifyUntil?.getTime() === verifyUntil?.getTime()
  })
}
