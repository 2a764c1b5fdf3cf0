import { UsageError } from '../errors.js'
import { Secret } from '../secret.js'
import { readSecretFile } from '../secret-file.js'
import { loadDriver } from './driver.js'
import { hostKeyOf } from './host-key.js'
import type { Identity } from './types.js'

const OPENSSH = /-----BEGIN OPENSSH PRIVATE KEY-----([\sA-Za-z0-9+/=]+)-----END/
/** What an OpenSSH private key begins with; the name of the cipher follows (openssh/PROTOCOL.key). */
const OPENSSH_MAGIC = Buffer.from('openssh-key-v1\0')
const NO_CIPHER = Buffer.from('\0\0\0\x04none')

/** Whether a private key opens with a passphrase only: OpenSSH's own form, or PEM. */
export function isEncrypted(key: Secret): boolean {
  const [, body] = OPENSSH.exec(key.reveal()) ?? []
  if (body === undefined) return /ENCRYPTED/.test(key.reveal())
  const bytes = Buffer.from(body, 'base64')
  return !bytes.subarray(OPENSSH_MAGIC.length).subarray(0, NO_CIPHER.length).equals(NO_CIPHER)
}

/**
 * A private key that opens: OpenSSH's form, or PEM.
 * @param source what named it, for messages
 * @throws UsageError when it is none, or the passphrase is missing or not its own
 */
export async function parseIdentity(
  key: Secret,
  passphrase: Secret | undefined,
  source: string,
): Promise<Identity> {
  if (isEncrypted(key) && passphrase === undefined)
    throw new UsageError('missing-passphrase', `${source}: the private key wants its passphrase`)
  const { utils } = await loadDriver()
  const parsed = utils.parseKey(key.reveal(), passphrase?.reveal())
  if (parsed instanceof Error) {
    const reason = isEncrypted(key)
      ? 'the passphrase does not open the private key'
      : 'it holds no private key of a kind that is known here'
    throw new UsageError('bad-identity', `${source}: ${reason}`)
  }
  const [first] = [parsed].flat()
  if (first === undefined || !first.isPrivateKey())
    throw new UsageError('bad-identity', `${source}: it holds a public key, not a private one`)
  return { key, passphrase: isEncrypted(key) ? passphrase : undefined }
}

/**
 * Reads a file that holds a private key.
 * @param source what named the file, for messages
 * @param passphrase asks for the one of an encrypted key
 * @throws UsageError for a file that others can read, and for anything that is no private key
 */
export async function readIdentity(
  path: string,
  source: string,
  passphrase: () => Promise<Secret>,
): Promise<Identity> {
  const key = await readSecretFile(path, source)
  return parseIdentity(key, isEncrypted(key) ? await passphrase() : undefined, path)
}

/** The fingerprint of the public key that belongs to a private one. */
export async function identityFingerprint(identity: Identity): Promise<string> {
  return hostKeyOf(await publicBlob(identity)).fingerprint
}

/** The public key that belongs to a private one, as a line of authorized_keys has it: type and base64. */
export async function publicKeyOf(identity: Identity): Promise<string> {
  const blob = await publicBlob(identity)
  return `${hostKeyOf(blob).type} ${blob.toString('base64')}`
}

async function publicBlob({ key, passphrase }: Identity): Promise<Buffer> {
  const { utils } = await loadDriver()
  const [first] = [utils.parseKey(key.reveal(), passphrase?.reveal())].flat()
  if (first === undefined || first instanceof Error) throw new TypeError('a sealed key is none')
  return first.getPublicSSH()
}

/** A private key as one text, to be sealed. */
export function packIdentity({ key, passphrase }: Identity): Secret {
  return new Secret(
    JSON.stringify({
      key: key.reveal(),
      ...(passphrase && { passphrase: passphrase.reveal() }),
    }),
  )
}

/** What {@link packIdentity} packed. */
export function unpackIdentity(packed: Secret): Identity {
  const { key, passphrase } = JSON.parse(packed.reveal()) as { key: string; passphrase?: string }
  return {
    key: new Secret(key),
    passphrase: passphrase === undefined ? undefined : new Secret(passphrase),
  }
}
