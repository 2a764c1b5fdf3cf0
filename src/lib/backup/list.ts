import { findBackupHost } from '../host/backup-host.js'
import { onHost } from '../host/reach.js'
import type { Workspace } from '../workspace.js'
import { askBackups } from './ask.js'
import type { Backup, StanzaInfo } from './info.js'

/** The backups of a stanza. */
export interface BackupList {
  host: string
  stanza: string
  /** Oldest first. */
  backups: Backup[]
}

/** Asks the backup machine for its backups. @throws what `findBackupHost`, `onHost` and `askBackups` throw */
export async function listBackups(
  workspace: Workspace,
  asked: { stanza: string | undefined; environment: NodeJS.ProcessEnv },
): Promise<BackupList> {
  const { host, stanza, info } = await readBackups(workspace, asked)
  return { host, stanza, backups: info.backups }
}

/** The same with everything that is said of the stanza there. */
export async function readBackups(
  workspace: Workspace,
  asked: { stanza: string | undefined; environment: NodeJS.ProcessEnv },
): Promise<{ host: string; stanza: string; info: StanzaInfo }> {
  const host = await findBackupHost(workspace, asked.stanza)
  const info = await onHost(workspace, host, asked.environment, (session) =>
    askBackups(session, host),
  )
  return { host: host.name, stanza: host.stanza, info }
}
