import { createCipheriv, createDecipheriv } from 'node:crypto'
import type { Random } from '../clock.js'
import { RefusedError } from '../errors.js'

/** A key that seals: 256 bits under an id. */
export interface DataKey {
  /** 16 hexadecimal digits. */
  readonly id: string
  readonly createdAt: string
  readonly key: Buffer
}

const VERSION = 1
const ALGORITHM = 'aes-256-gcm'
/** AES-256. */
export const KEY_BYTES = 32
const KEY_ID_BYTES = 8
/** 96 bits is the length GCM is made for; random ones are safe for 2^32 values under one key. */
const NONCE_BYTES = 12
const TAG_BYTES = 16
const HEADER_BYTES = 1 + KEY_ID_BYTES
const PREFIX_BYTES = HEADER_BYTES + NONCE_BYTES + TAG_BYTES

/** Makes a new key. */
export function newDataKey(random: Random, createdAt: Date): DataKey {
  return {
    id: random.bytes(KEY_ID_BYTES).toString('hex'),
    createdAt: createdAt.toISOString(),
    key: random.bytes(KEY_BYTES),
  }
}

/**
 * Encrypts with one key: version byte, key id, nonce, tag, ciphertext. Version, key id and identity
 * are authenticated with it.
 */
export function sealWith(
  { id, key }: DataKey,
  plaintext: Buffer,
  identity: string,
  random: Random,
): Buffer {
  const header = Buffer.concat([Buffer.of(VERSION), Buffer.from(id, 'hex')])
  const nonce = random.bytes(NONCE_BYTES)
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(Buffer.concat([header, Buffer.from(identity)]))
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()])
  return Buffer.concat([header, nonce, cipher.getAuthTag(), ciphertext])
}

/**
 * Decrypts what {@link sealWith} made with the same key for the same identity.
 * Throws RefusedError for another key, another identity or an altered value.
 */
export function openWith({ key }: DataKey, sealed: Buffer, identity: string): Buffer {
  sealingKeyId(sealed)
  const nonce = sealed.subarray(HEADER_BYTES, HEADER_BYTES + NONCE_BYTES)
  const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES })
  decipher.setAAD(Buffer.concat([sealed.subarray(0, HEADER_BYTES), Buffer.from(identity)]))
  decipher.setAuthTag(sealed.subarray(HEADER_BYTES + NONCE_BYTES, PREFIX_BYTES))
  try {
    return Buffer.concat([decipher.update(sealed.subarray(PREFIX_BYTES)), decipher.final()])
  } catch {
    throw unopenable(identity)
  }
}

/** Which key sealed a value. Throws RefusedError when it is no sealed value. */
export function sealingKeyId(sealed: Buffer): string {
  if (sealed.length < PREFIX_BYTES || sealed[0] !== VERSION) {
    throw new RefusedError('not-sealed', 'a stored value was not made by this keyring')
  }
  return sealed.toString('hex', 1, HEADER_BYTES)
}

function unopenable(identity: string): RefusedError {
  return new RefusedError(
    'cannot-open',
    `the sealed value of ${identity} does not open: it was altered, or sealed by another key`,
    { suggestions: ['cleverctl keyring status'] },
  )
}
