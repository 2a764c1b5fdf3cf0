import type { HostRow } from '../host/store.js'
import type { SshSession } from '../ssh/session.js'
import { askBasebackups } from './basebackup/on-host.js'
import { askStanza, type StanzaInfo } from './info.js'

/**
 * Asks a backup machine what it has, whatever makes the backups there.
 * @throws FailureError when that cannot be told
 */
export async function askBackups(session: SshSession, host: HostRow): Promise<StanzaInfo> {
  const { basebackup, stanza } = host
  return basebackup ? askBasebackups(session, basebackup) : askStanza(session, stanza)
}
