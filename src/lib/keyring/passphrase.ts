import { randomBytes } from 'node:crypto'
import { readSecretFile } from '../secret-file.js'
import type { Secret } from '../secret.js'

/** How a passphrase becomes a key; kept in the key file beside the keys it wraps. */
export interface PassphraseParameters {
  algorithm: 'argon2id'
  memoryKiB: number
  iterations: number
  parallelism: number
  /** Base64. */
  salt: string
}

/** A key made of a passphrase, which wraps the keys of a key file. */
export interface PassphraseKey {
  readonly parameters: PassphraseParameters
  readonly key: Buffer
}

/** Gives the passphrase. A new one is asked for twice. */
export type PassphraseSource = (about?: { isNew: boolean }) => Promise<Secret>

/** The passphrase from a file where there is one, else from a person, who is asked once. */
export function passphraseSource(
  file: string | undefined,
  askPassphrase: PassphraseSource,
): PassphraseSource {
  let given: Promise<Secret> | undefined
  return (about) => (given ??= file === undefined ? askPassphrase(about) : readSecretFile(file))
}

/**
 * A single factor that guards everything: NIST SP 800-63B asks for 15 characters.
 */
export const SHORTEST_PASSPHRASE = 15

/** Parameters for a new key file: above OWASP's minimum (19 MiB, 2 passes), as it runs once a command. */
export function newPassphraseParameters(): PassphraseParameters {
  return {
    algorithm: 'argon2id',
    memoryKiB: 64 * 1024,
    iterations: 3,
    parallelism: 1,
    salt: randomBytes(16).toString('base64'),
  }
}

/** Makes the key that wraps; takes about a third of a second. */
export async function derivePassphraseKey(
  passphrase: Secret,
  parameters: PassphraseParameters,
): Promise<PassphraseKey> {
  const argon2 = await import('argon2')
  const key = await argon2.hash(passphrase.reveal().normalize('NFC'), {
    raw: true,
    type: argon2.argon2id,
    hashLength: 32,
    salt: Buffer.from(parameters.salt, 'base64'),
    memoryCost: parameters.memoryKiB,
    timeCost: parameters.iterations,
    parallelism: parameters.parallelism,
  })
  return { parameters, key }
}
