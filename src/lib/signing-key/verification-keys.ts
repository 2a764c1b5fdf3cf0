import { createPublicKey, type KeyObject } from 'node:crypto'
import type { VerifyOptions } from 'jsonwebtoken'
import type { Queryable } from '../database/database.js'
import { selectSigningKeys } from './store.js'
import { ALGORITHM, type SigningKey, type SigningKeyState } from './types.js'

/** A public key that tokens are held against. */
export interface VerificationKey {
  readonly state: SigningKeyState
  readonly verifyUntil: Date | null
  /** The only algorithm this key verifies; the token has no say in it. */
  readonly algorithm: typeof ALGORITHM
  /** Whether the token's signature is this key's and the token meets `options`. Never throws. */
  holds(text: string, options: VerifyOptions): boolean
}

/** Every signing key there is or was, by kid; revoked ones too, so that staff are told. */
export type VerificationKeys = ReadonlyMap<string, VerificationKey>

/** Reads the public keys. Load them again when a `signing-key:` notification comes. */
export async function loadVerificationKeys(queryable: Queryable): Promise<VerificationKeys> {
  return verificationKeys(await selectSigningKeys(queryable))
}

/** Makes public keys ready for use; parsing them once costs a third of a verification less each time. */
export async function verificationKeys(keys: readonly SigningKey[]): Promise<VerificationKeys> {
  const { default: jsonwebtoken } = await import('jsonwebtoken')
  return new Map(
    keys.map((key) => {
      const publicKey = createPublicKey({ key: key.publicJwk, format: 'jwk' })
      return [key.kid, verificationKey(jsonwebtoken.verify, publicKey, key)]
    }),
  )
}

function verificationKey(
  verify: typeof import('jsonwebtoken').verify,
  publicKey: KeyObject,
  { state, verifyUntil }: SigningKey,
): VerificationKey {
  return {
    state,
    verifyUntil,
    algorithm: ALGORITHM,
    holds: (text, options) => {
      // Whatever is wrong with a stranger's bytes, the answer is no.
      try {
        verify(text, publicKey, { ...options, algorithms: [ALGORITHM], complete: true })
        return true
      } catch {
        return false
      }
    },
  }
}
