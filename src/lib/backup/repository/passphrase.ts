import { randomBase62 } from '../../base62.js'
import { ConflictError } from '../../errors.js'
import { Secret } from '../../secret.js'
import type { Workspace } from '../../workspace.js'
import type { SealedPassphrase } from './store.js'

/** 285 bits of 62 characters each equally likely: more than the key of AES-256 that is made of it. */
const PASSPHRASE_LENGTH = 48
const ID_LENGTH = 8
const sealedAs = (passphraseId: string) => `backup-repository:${passphraseId}`

/** Makes the passphrase of a new repository. @param given one that is there already, for backups that are there already */
export async function sealPassphrase(
  { random, keyring }: Pick<Workspace, 'random' | 'keyring'>,
  given: Secret | undefined,
): Promise<SealedPassphrase> {
  const text = given?.reveal() ?? randomBase62(random, PASSPHRASE_LENGTH)
  const passphraseId = randomBase62(random, ID_LENGTH)
  const sealed = (await keyring()).seal(Buffer.from(text), sealedAs(passphraseId))
  return { passphraseId, sealed }
}

/** The passphrase of a repository. Throws RefusedError where the keyring does not open it. */
export async function openPassphrase(
  { keyring }: Pick<Workspace, 'keyring'>,
  { passphraseId, sealed }: SealedPassphrase,
): Promise<Secret> {
  return new Secret((await keyring()).open(sealed, sealedAs(passphraseId)).toString('utf8'))
}

/** A repository keeps its passphrase: what is in it could not be read with another. Throws ConflictError. */
export function requireSame(passphrase: Secret, given: Secret | undefined): void {
  if (given !== undefined && given.reveal() !== passphrase.reveal())
    throw new ConflictError('other-passphrase', 'this repository has another passphrase', {
      suggestions: ['without --cipher-file: the recorded one stays'],
    })
}
