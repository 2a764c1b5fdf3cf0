import { createHmac } from 'node:crypto'
import type { Database } from '../database/database.js'
import type { Random } from '../clock.js'
import type { Keyring } from '../keyring/keyring.js'
import { randomBase62 } from '../base62.js'
import { Secret } from '../secret.js'
import type { Workspace } from '../workspace.js'
import { insertPepper, selectPepper, type CurrentCredential } from './store.js'

const PEPPER_IDENTITY = 'router-pepper:fleet'
const PEPPER_BYTES = 32
const ID_LENGTH = 8

const sealIdentity = (credentialId: string) => `router-credential:${credentialId}`

/** A credential's secret under an id of its own, ready to be stored. */
export interface SealedCredential {
  credentialId: string
  sealed: Buffer
}

/** Seals a secret of a router. */
export function sealCredential(keyring: Keyring, random: Random, secret: Secret): SealedCredential {
  const credentialId = randomBase62(random, ID_LENGTH)
  const sealed = keyring.seal(Buffer.from(secret.reveal()), sealIdentity(credentialId))
  return { credentialId, sealed }
}

/** The secret that {@link sealCredential} sealed. Throws RefusedError when the keyring does not open it. */
export function openCredential(
  keyring: Keyring,
  { credentialId, sealed }: Pick<CurrentCredential, 'credentialId' | 'sealed'>,
): Secret {
  return new Secret(keyring.open(sealed, sealIdentity(credentialId)).toString('utf8'))
}

/**
 * Makes digests by which equal secrets are found without opening any. Under a pepper that the keyring
 * seals, because a router's password may be one that a person chose: a plain digest of it could be guessed.
 */
export async function digester(
  workspace: Pick<Workspace, 'random' | 'keyring'> & { database: Database },
): Promise<(secret: Secret) => Buffer> {
  const keyring = await workspace.keyring()
  let sealed = await selectPepper(workspace.database)
  if (sealed === undefined) {
    const fresh = keyring.seal(workspace.random.bytes(PEPPER_BYTES), PEPPER_IDENTITY)
    await insertPepper(workspace.database, fresh)
    sealed = await selectPepper(workspace.database)
  }
  if (sealed === undefined) throw new TypeError('the pepper was not stored')
  const pepper = keyring.open(sealed, PEPPER_IDENTITY)
  return (secret) => createHmac('sha256', pepper).update(secret.reveal()).digest()
}
