import {
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  sign as signBytes,
  type KeyObject,
} from 'node:crypto'
import type { SigningKey, SigningKeyState } from '../../src/lib/signing-key/types.js'

/** The moment at which the tokens of these tests are looked at. */
export const NOW = new Date('2026-06-01T12:00:00Z')
/** The same in seconds. */
export const NOW_S = NOW.getTime() / 1000

/** A signing key with its private half, for making tokens that no signer of ours would make. */
export interface TestKey {
  row: SigningKey
  privateKey: KeyObject
  publicKey: KeyObject
}

/** A new P-256 key in the given state. */
export function testKey(
  kid: string,
  state: SigningKeyState = 'ACTIVE',
  verifyUntil: Date | null = null,
): TestKey {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const publicKey = createPublicKey(privateKey)
  const row: SigningKey = {
    kid,
    state,
    publicJwk: publicKey.export({ format: 'jwk' }),
    createdAt: NOW,
    activatedAt: null,
    verifyUntil,
    revokedAt: null,
  }
  return { row, privateKey, publicKey }
}

/** The header of a good token. */
export function goodHeader(kid: string): Record<string, unknown> {
  return { alg: 'ES256', typ: 'at+jwt', kid }
}

/** The claims of a good device token. */
export function goodClaims(): Record<string, unknown> {
  return {
    iss: 'cleverctl',
    aud: 'ingest',
    sub: 'solar-0042',
    client_id: 'CDX-000123',
    serial: 'CDX-000123',
    epoch: 0,
    device_epoch: 0,
    jti: 'AAAAAAAAAAAAAAAAAAAAAA',
    iat: NOW_S,
    exp: NOW_S + 900,
  }
}

/** Base64url of a text or of an object's JSON. */
export function encode(part: string | object): string {
  return Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url')
}

/** A token with any header and claims, signed with ES256 whatever the header says. */
export function forge(
  key: TestKey,
  header: string | object = goodHeader(key.row.kid),
  claims: string | object = goodClaims(),
): string {
  const body = `${encode(header)}.${encode(claims)}`
  const signature = signBytes('sha256', Buffer.from(body), {
    key: key.privateKey,
    dsaEncoding: 'ieee-p1363',
  })
  return `${body}.${signature.toString('base64url')}`
}

/** A token "signed" by HMAC with any text as its secret. */
export function forgeHmac(header: object, claims: object, secret: string | Buffer): string {
  const body = `${encode(header)}.${encode(claims)}`
  return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`
}
