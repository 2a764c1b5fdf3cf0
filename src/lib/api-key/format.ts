import { hash } from 'node:crypto'
import { CHECKSUM_LENGTH, checksum62, randomBase62 } from '../base62.js'
import type { Random } from '../clock.js'
import { Secret } from '../secret.js'

/*
 * clv_live_k7Qd2XbA_<43 characters>_0LsakP
 *  |    |      |          |            └ CRC-32 of everything before it, base 62, six characters
 *  |    |      |          └ the secret: 43 base 62 characters = 256 bits
 *  |    |      └ key id: names the key in lists, logs and the database; no secret
 *  |    └ environment: keys are made as `live`; `test` is understood
 *  └ lets scanners find a leaked key, and a double click selects all of it
 */
const FORMAT = /^clv_(live|test)_([0-9A-Za-z]{8})_[0-9A-Za-z]{43}_([0-9A-Za-z]{6})$/
const KEY_ID_LENGTH = 8
const SECRET_LENGTH = 43

/** Characters of an API key. */
export const API_KEY_LENGTH =
  'clv_live_'.length + KEY_ID_LENGTH + 1 + SECRET_LENGTH + 1 + CHECKSUM_LENGTH

/** What the text of an API key says about itself; nothing of it is proof of anything. */
export interface ParsedApiKey {
  environment: 'live' | 'test'
  /** Which row of the database to compare with. */
  keyId: string
  /**
   * False for a mistyped key. It is for scanners and for staff: the gate neither answers differently
   * for it nor trusts a key because of it, the digest alone decides.
   */
  checksumMatches: boolean
}

/** A new key and its id. 256 bits of the secret are drawn from `random`. */
export function generateApiKey(random: Random): { apiKey: Secret; keyId: string } {
  const keyId = randomBase62(random, KEY_ID_LENGTH)
  const body = `clv_live_${keyId}_${randomBase62(random, SECRET_LENGTH)}`
  return { apiKey: new Secret(`${body}_${checksum62(body)}`), keyId }
}

/** Takes a key's text apart; undefined when it does not have a key's shape. */
export function parseApiKey(text: string): ParsedApiKey | undefined {
  const [, environment, keyId, check] = FORMAT.exec(text) ?? []
  if (environment === undefined || keyId === undefined) return undefined
  return {
    environment: environment === 'live' ? 'live' : 'test',
    keyId,
    checksumMatches: check === checksum62(text.slice(0, -CHECKSUM_LENGTH - 1)),
  }
}

/**
 * What the database keeps of a key: SHA-256 of its whole text. Neither salt nor slow hash nor pepper:
 * the secret has 256 random bits, so there is nothing to guess from a stolen digest, and the gate
 * computes this for every arrival.
 */
export function apiKeyDigest(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}
