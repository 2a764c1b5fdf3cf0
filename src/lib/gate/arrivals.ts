import { hash, timingSafeEqual } from 'node:crypto'
import { apiKeyDigest, parseApiKey } from '../api-key/format.js'
import type { Clock } from '../clock.js'
import type { Queryable } from '../database/database.js'
import { deviceSecretDigest } from '../device/secret.js'
import { isSerial } from '../device/types.js'
import { loadVerificationKeys, type VerificationKeys } from '../signing-key/verification-keys.js'
import type { TokenFault } from '../token/types.js'
import { verifyToken } from '../token/verify.js'
import {
  checkKey,
  decideArrival,
  decideTokenRequest,
  type Arrival,
  type Decision,
  type KeyFact,
  type TokenFact,
} from './decide-arrival.js'
import type { Memory } from './memory.js'
import { selectDevice, selectKey, type StoredDevice, type StoredKey } from './store.js'
import type { RefusalCode, Requirement } from './types.js'

/** The credentials of a request as they were sent; undefined where a header was missing. */
export interface Credentials {
  apiKey: string | undefined
  token: string | undefined
}

/** A refused arrival and whom it concerns, as far as that is known. */
export interface Refusal {
  verdict: 'refused'
  requirement: Requirement
  code: RefusalCode
  /** The key id that was sent, whether such a key exists or not. */
  keyId: string | undefined
  installationId: string | undefined
  serial: string | undefined
  /** The broken rule of the token, where that says more than the code. */
  fault: TokenFault | undefined
}

/** What becomes of an arrival. */
export type Verdict = ({ verdict: 'accepted' } & Arrival) | Refusal

/** What an unknown key and an unknown device are compared with, so that they cost what a wrong one costs. */
const DUMMY_DIGEST = Buffer.alloc(32)
/** No key has this id; a malformed key is looked up by it. */
const NO_KEY_ID = '--------'

/**
 * Decides on arrivals. Memory answers where it says yes; every no is the database's, so that whatever
 * was just issued or installed works at once, and an unknown and a wrong key cost the same.
 */
export class Arrivals {
  readonly #database: Queryable
  readonly #memory: Memory
  readonly #clock: Clock

  constructor(given: { database: Queryable; memory: Memory; clock: Clock }) {
    this.#database = given.database
    this.#memory = given.memory
    this.#clock = given.clock
  }

  /** The decision on data that arrives; at once where memory knows that it may. */
  decide(sent: Credentials): Verdict | Promise<Verdict> {
    return this.#fromMemory(sent) ?? this.#fromDatabase(sent)
  }

  /** The decision on the API key alone, before a body is read. Undefined: nothing against it. */
  async checkKey(apiKey: string | undefined): Promise<Refusal | undefined> {
    const remembered = this.#rememberedKey(apiKey)
    if (remembered && checkKey({ found: 'row', row: remembered }, this.#clock.now()).passed) {
      return undefined
    }
    const { fact, keyId, row } = await this.#askKey(apiKey)
    const now = this.#clock.now()
    if (checkKey(fact, now).passed) return undefined
    const decision = decideTokenRequest({ now, key: fact, device: undefined, secretMatches: false })
    return decision.verdict === 'refused' ? { ...decision, ...about({ keyId, row }) } : undefined
  }

  /** The decision on a device's request for a token. */
  async decideTokenRequest(
    sent: { apiKey: string | undefined },
    body: { serial: string; secret: string },
  ): Promise<Verdict> {
    const serial = isSerial(body.serial) ? body.serial : undefined
    const [{ fact, keyId, row }, device] = await Promise.all([
      this.#askKey(sent.apiKey),
      serial === undefined ? undefined : this.#askDevice(serial),
    ])
    const now = this.#clock.now()
    const secretMatches = matchesSecret(body.secret, device, now)
    const decision = decideTokenRequest({ now, key: fact, device, secretMatches })
    return withSubject(decision, { keyId, row, serial })
  }

  /** The public keys of tokens, remembered or asked for. */
  async verificationKeys(): Promise<VerificationKeys> {
    return this.#memory.verificationKeys ?? this.#askVerificationKeys()
  }

  #fromMemory({ apiKey, token }: Credentials): Verdict | undefined {
    if (apiKey === undefined || token === undefined) return undefined
    const remembered = this.#memory.recall(credentialsDigest(apiKey, token))
    if (remembered === undefined) return undefined
    const { key, claims, device } = remembered
    const now = this.#clock.now()
    if (claims.expiresAt <= now) return undefined
    const decision = decideArrival({
      now,
      key: { found: 'row', row: key },
      token: { ok: true, claims },
      device,
    })
    return decision.verdict === 'accepted' ? decision : undefined
  }

  #rememberedKey(apiKey: string | undefined): StoredKey | undefined {
    const parsed = apiKey === undefined ? undefined : parseApiKey(apiKey)
    const key = parsed && this.#memory.key(parsed.keyId)
    if (apiKey === undefined || key === undefined) return undefined
    return timingSafeEqual(apiKeyDigest(apiKey), key.digest) ? key : undefined
  }

  async #fromDatabase({ apiKey, token }: Credentials): Promise<Verdict> {
    const { fact, keyId, row } = await this.#askKey(apiKey)
    // A signature costs more than all the rest, so nobody gets one verified without a key.
    const isKeyRight = checkKey(fact, this.#clock.now()).passed
    const tokenFact: TokenFact = isKeyRight
      ? await this.#askToken(token, { apiKey, row })
      : { ok: false, code: 'T_MISSING' }
    const serial = tokenFact.ok ? tokenFact.claims.serial : undefined
    const device = serial === undefined ? undefined : await this.#askDevice(serial)
    const now = this.#clock.now()
    const decision = decideArrival({ now, key: fact, token: tokenFact, device })
    const fault = isKeyRight && !tokenFact.ok ? tokenFact.code : undefined
    return withSubject(decision, { keyId, row, serial, fault })
  }

  async #askKey(apiKey: string | undefined) {
    if (apiKey === undefined) return { fact: { found: 'missing' } as KeyFact }
    const parsed = parseApiKey(apiKey)
    const keyId = parsed?.keyId ?? NO_KEY_ID
    const row = await this.#memory.askKey(keyId, () => selectKey(this.#database, keyId))
    const fact = compareKey(apiKey, row)
    // A checksum is no proof, but it keeps mistyped text out of the table of refusals.
    return { fact, keyId: parsed?.checksumMatches ? parsed.keyId : undefined, row }
  }

  async #askDevice(serial: string): Promise<StoredDevice | undefined> {
    return this.#memory.askDevice(serial, () => selectDevice(this.#database, serial))
  }

  /** @param shown the API key that came with the token, and was found to be right */
  async #askToken(
    token: string | undefined,
    shown: { apiKey: string | undefined; row: StoredKey | undefined },
  ): Promise<TokenFact> {
    const verify = (keys: VerificationKeys): TokenFact => {
      const now = this.#clock.now()
      const verdict = verifyToken(token, keys, { now, audience: 'ingest' })
      const { apiKey, row } = shown
      if (verdict.ok && token !== undefined && apiKey !== undefined && row !== undefined) {
        const { claims } = verdict
        const lifeMs = claims.expiresAt.getTime() - now.getTime()
        const digest = credentialsDigest(apiKey, token)
        this.#memory.rememberCredentials(digest, { key: row, claims }, lifeMs, keys)
      }
      return verdict
    }
    const keys = this.#memory.verificationKeys
    const verdict = keys && verify(keys)
    // Only a key that was not there yet could turn another no into a yes.
    if (verdict && (verdict.ok || verdict.code !== 'T_KID')) return verdict
    return verify(await this.#askVerificationKeys())
  }

  async #askVerificationKeys(): Promise<VerificationKeys> {
    return this.#memory.askVerificationKeys(() => loadVerificationKeys(this.#database))
  }
}

/** A key has no space in it, so no two pairs give the same text. */
function credentialsDigest(apiKey: string, token: string): string {
  return hash('sha256', `${apiKey} ${token}`, 'base64')
}

/** Holds the text of a key against the row that its key id names, if there is one. */
export function compareKey(apiKey: string, row: StoredKey | undefined): KeyFact {
  const isRight = timingSafeEqual(apiKeyDigest(apiKey), row?.digest ?? DUMMY_DIGEST)
  return isRight && row ? { found: 'row', row } : { found: 'unknown' }
}

/** Compares with both secrets always, so that the time tells nothing about which device exists. */
function matchesSecret(secret: string, device: StoredDevice | undefined, now: Date): boolean {
  const digest = deviceSecretDigest(secret)
  const isCurrent = timingSafeEqual(digest, device?.secretSha256 ?? DUMMY_DIGEST)
  const isPrevious = timingSafeEqual(digest, device?.previousSecretSha256 ?? DUMMY_DIGEST)
  const until = device?.previousSecretUntil ?? null
  return isCurrent || (isPrevious && until !== null && until > now)
}

interface Subject {
  keyId?: string | undefined
  row?: StoredKey | undefined
  serial?: string | undefined
  fault?: TokenFault | undefined
}

function withSubject(decision: Decision, subject: Subject): Verdict {
  return decision.verdict === 'accepted' ? decision : { ...decision, ...about(subject) }
}

function about({ keyId, row, serial, fault }: Subject) {
  return { keyId, installationId: row?.installation.id, serial, fault }
}
