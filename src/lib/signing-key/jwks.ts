import { ALGORITHM, standingOf, verifies, type SigningKey } from './types.js'

/** One public key as verifiers read it (RFC 7517). */
export interface PublicKey {
  kty: string
  crv: string
  x: string
  y: string
  kid: string
  use: 'sig'
  alg: typeof ALGORITHM
}

/** What `/.well-known/jwks.json` answers: every key whose tokens hold at `now`, NEXT included. */
export function publicKeys(keys: readonly SigningKey[], now: Date): { keys: PublicKey[] } {
  return {
    keys: keys
      .filter((key) => verifies(standingOf(key, now)))
      .map(({ kid, publicJwk: { kty = '', crv = '', x = '', y = '' } }) => {
        return { kty, crv, x, y, kid, use: 'sig', alg: ALGORITHM }
      }),
  }
}
