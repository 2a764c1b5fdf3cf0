import { createHash } from 'node:crypto'
import { UsageError } from '../errors.js'
import { HOST_KEY_TYPES, type HostKeyType } from './types.js'

const FINGERPRINT = /^SHA256:[A-Za-z0-9+/]{43}$/

/** A key as a host showed it; its type may be one that cannot be pinned. */
export interface SeenHostKey {
  type: string
  fingerprint: string
}

/**
 * The type and fingerprint of a public key in SSH's own form (RFC 4253 §6.6): a length of four bytes,
 * the name of the type, the rest.
 */
export function hostKeyOf(blob: Buffer): SeenHostKey {
  const digest = createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')
  const length = blob.length < 4 ? 0 : blob.readUInt32BE(0)
  return {
    type: blob.toString('latin1', 4, 4 + Math.min(length, 64)),
    fingerprint: `SHA256:${digest}`,
  }
}

/**
 * A fingerprint as OpenSSH and dropbear print it.
 * @throws UsageError for anything else, an MD5 fingerprint among it
 */
export function parseFingerprint(text: string): string {
  if (FINGERPRINT.test(text)) return text
  throw new UsageError(
    'bad-fingerprint',
    'a fingerprint is SHA256: and 43 characters, as ssh-keygen -l prints it',
  )
}

/** Whether a type of host key can be pinned. */
export function isHostKeyType(type: string): type is HostKeyType {
  return (HOST_KEY_TYPES as readonly string[]).includes(type)
}

/** The signature algorithms by which a host proves a key of this type. SHA-1 is not among them. */
export function algorithmsOf(type: HostKeyType): readonly HostKeyAlgorithm[] {
  return type === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256'] : [type]
}

/** A name of RFC 8332, RFC 5656 or RFC 8709. */
export type HostKeyAlgorithm = Exclude<HostKeyType, 'ssh-rsa'> | 'rsa-sha2-512' | 'rsa-sha2-256'
