import { generateKeyPair, type JsonWebKey } from 'node:crypto'
import { promisify } from 'node:util'
import { randomBase62 } from '../base62.js'
import type { Workspace } from '../workspace.js'

const KID_LENGTH = 12

/** A new signing key, its private half sealed. */
export interface NewSigningKey {
  kid: string
  publicJwk: JsonWebKey
  sealedPrivate: Buffer
}

/** What a sealed private key is bound to: moved to another key's row, it does not open. */
export function sealIdentity(kid: string): string {
  return `signing-key:${kid}`
}

/**
 * Makes a P-256 key pair and seals its private half (PKCS #8, DER). The pair comes from OpenSSL's own
 * generator and not from `workspace.random`: no test has a reason to choose a private key.
 */
export async function generateSigningKey(workspace: Workspace): Promise<NewSigningKey> {
  const keyring = await workspace.keyring()
  const kid = randomBase62(workspace.random, KID_LENGTH)
  const pair = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' })
  const pkcs8 = pair.privateKey.export({ format: 'der', type: 'pkcs8' })
  const sealedPrivate = keyring.seal(pkcs8, sealIdentity(kid))
  pkcs8.fill(0)
  return { kid, publicJwk: pair.publicKey.export({ format: 'jwk' }), sealedPrivate }
}
