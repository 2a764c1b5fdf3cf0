import { hash } from 'node:crypto'
import { CHECKSUM_LENGTH, checksum62 } from '../base62.js'
import type { Random } from '../clock.js'
import { Secret } from '../secret.js'

/*
 * clvd_<43 characters>_0LsakP
 *  |    |              └ CRC-32 of everything before it, base 62, six characters
 *  |    └ the secret: 43 base64url characters = 256 bits
 *  └ lets scanners find a leaked secret
 *
 * With 55 characters it is the longest text whose SHA-256 takes one block. Secrets made before there
 * was a prefix are the 43 characters alone; they go on working, because only the digest decides.
 */
const PREFIX = 'clvd_'
const FORMAT = /^clvd_[0-9A-Za-z_-]{43}_([0-9A-Za-z]{6})$/
/** 256 bits: a device's secret cannot be guessed, so a plain digest of it is enough. */
const SECRET_BYTES = 32
/** Characters of a device's secret. */
export const DEVICE_SECRET_LENGTH = PREFIX.length + 43 + 1 + CHECKSUM_LENGTH
/** Fetching random bytes 32 at a time would cost half of a bulk import's speed. */
const POOL_BYTES = 64 * 1024

/**
 * SHA-256 of a device's secret, as the database keeps it. What is hashed is the text that the device
 * sends, not the bytes it encodes: so no second spelling of a secret is accepted.
 */
export function deviceSecretDigest(secret: string): Buffer {
  return hash('sha256', secret, 'buffer')
}

/** The same digest in hexadecimal, for COPY. */
export function deviceSecretDigestHex(secret: string): string {
  return hash('sha256', secret, 'hex')
}

/** Makes device secrets from a pool of randomness. */
export class SecretMint {
  readonly #random: Random
  #pool: Buffer = Buffer.alloc(0)
  #used = 0

  constructor(random: Random) {
    this.#random = random
  }

  /** A new secret. */
  next(): string {
    if (this.#used === this.#pool.length) {
      // What was given out stays nowhere in this process's buffers.
      this.#pool.fill(0)
      this.#pool = this.#random.bytes(POOL_BYTES)
      this.#used = 0
    }
    const start = this.#used
    this.#used += SECRET_BYTES
    return spell(this.#pool.toString('base64url', start, this.#used))
  }

  /** Wipes the randomness that is left. */
  dispose(): void {
    this.#pool.fill(0)
    this.#used = this.#pool.length
  }
}

/** One new device secret. */
export function makeDeviceSecret(random: Random): Secret {
  return new Secret(spell(random.bytes(SECRET_BYTES).toString('base64url')))
}

/**
 * Whether a text has the form of a device's secret, and whether its checksum is right; undefined when
 * it has another form. For scanners: the gate asks nothing but the digest.
 */
export function parseDeviceSecret(text: string): { checksumMatches: boolean } | undefined {
  const check = FORMAT.exec(text)?.[1]
  if (check === undefined) return undefined
  return { checksumMatches: check === checksum62(text.slice(0, -CHECKSUM_LENGTH - 1)) }
}

function spell(secret: string): string {
  const body = PREFIX + secret
  return `${body}_${checksum62(body)}`
}
