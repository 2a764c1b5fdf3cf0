import { hash } from 'node:crypto'
import type { Random } from '../clock.js'
import { Secret } from '../secret.js'

/** 256 bits: a device's secret cannot be guessed, so a plain digest of it is enough. */
const SECRET_BYTES = 32
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

  /** A new secret: 43 characters of base64url. */
  next(): string {
    if (this.#used === this.#pool.length) {
      // What was given out stays nowhere in this process's buffers.
      this.#pool.fill(0)
      this.#pool = this.#random.bytes(POOL_BYTES)
      this.#used = 0
    }
    const start = this.#used
    this.#used += SECRET_BYTES
    return this.#pool.toString('base64url', start, this.#used)
  }

  /** Wipes the randomness that is left. */
  dispose(): void {
    this.#pool.fill(0)
    this.#used = this.#pool.length
  }
}

/** One new device secret. */
export function makeDeviceSecret(random: Random): Secret {
  return new Secret(random.bytes(SECRET_BYTES).toString('base64url'))
}
