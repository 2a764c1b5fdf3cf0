import { createPublicKey, type KeyObject } from 'node:crypto'
import { randomBase62 } from '../../base62.js'
import type { Random } from '../../clock.js'
import { Secret } from '../../secret.js'
import { newKeyPair } from '../ca/authority.js'
import { isVerifierOf, scramVerifier } from '../scram.js'
import type { GrantMethod } from './types.js'

const PASSWORD_LENGTH = 32

/**
 * Makes the secret of a grant, and what it is known by: a password and its SCRAM verifier, or a private key (PEM)
 * and its public key (SPKI, base64).
 */
export async function makeProof(
  method: GrantMethod,
  random: Random,
): Promise<{ secret: Secret; verifier: string }> {
  if (method === 'certificate') {
    const { pem, spki, pkcs8 } = await newKeyPair()
    pkcs8.fill(0)
    return { secret: new Secret(pem), verifier: spki.toString('base64') }
  }
  const secret = new Secret(randomBase62(random, PASSWORD_LENGTH))
  return { secret, verifier: await scramVerifier(secret, random) }
}

/** Whether a verifier was made of this secret. */
export async function isProvenBy(
  { method, verifier }: { method: GrantMethod; verifier: string },
  secret: Secret,
): Promise<boolean> {
  if (method === 'password') return isVerifierOf(verifier, secret)
  return (
    publicKeyOf(secret)?.export({ format: 'der', type: 'spki' }).toString('base64') === verifier
  )
}

function publicKeyOf(privateKey: Secret): KeyObject | undefined {
  try {
    return createPublicKey(privateKey.reveal())
  } catch {
    // A file that was not written to its end.
    return undefined
  }
}
