import { createHash } from 'node:crypto'
import type { SshSession } from '../../../../ssh/session.js'
import { readNewer } from './newer.js'
import { readOlder } from './older.js'
import type { Digest, RosWifi } from './types.js'

/** The drivers of RouterOS 7.13 and later, and of 7.0 to 7.12. The ones before have `wireless`, which 7 still has. */
const NEWER_MENUS = ['wifi', 'wifiwave2'] as const

/**
 * Reads a router's Wi-Fi. RouterOS has no SHA-256: passphrases come over the encrypted connection, are digested here at
 * once and are not kept.
 * @throws FailureError when the user may not see passphrases: a router of which nothing is known is not a good one
 */
export async function readWifi(session: SshSession, salt: string): Promise<RosWifi> {
  const digest: Digest = (passphrase) =>
    passphrase === ''
      ? undefined
      : createHash('sha256').update(salt).update(passphrase).digest('hex')
  const parts: RosWifi[] = []
  for (const name of NEWER_MENUS) {
    const part = await readNewer(session, name, digest)
    if (part === undefined) continue
    parts.push(part)
    break
  }
  const older = await readOlder(session, digest)
  if (older) parts.push(older)
  return {
    interfaces: parts.flatMap(({ interfaces }) => interfaces),
    extras: parts.flatMap(({ extras }) => extras),
    extraMenu: parts.find(({ extraMenu }) => extraMenu !== undefined)?.extraMenu,
  }
}
