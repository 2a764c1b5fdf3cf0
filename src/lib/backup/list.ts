import { findBackupHost } from '../host/backup-host.js'
import { onHost } from '../host/reach.js'
import type { Workspace } from '../workspace.js'
import { askBackups, requireRepositories } from './ask.js'
import { REPOSITORY_STATUS, type Backup, type StanzaInfo } from './info.js'

/** Which backups are asked for. */
export interface BackupsQuestion {
  stanza: string | undefined
  environment: NodeJS.ProcessEnv
  /** Number of the repository that they are in; undefined: all. */
  repository: number | undefined
}

/** The backups of a stanza. */
export interface BackupList {
  host: string
  stanza: string
  /** Oldest first. */
  backups: Backup[]
}

/**
 * Asks the backup machine for its backups. A repository that cannot be read there is warned about.
 * @throws what {@link readBackups} throws
 */
export async function listBackups(
  workspace: Workspace,
  asked: BackupsQuestion,
): Promise<BackupList> {
  const { host, stanza, info } = await readBackups(workspace, asked)
  for (const { number, code, message } of info.repositories)
    if (code === REPOSITORY_STATUS.other)
      workspace.log.warn(`nobody knows what repository ${number} holds: ${message}`)
  return { host, stanza, backups: info.backups }
}

/**
 * The same with everything that is said of the stanza there.
 * @throws UsageError for a repository of pg_basebackup; what `findBackupHost`, `onHost` and `askBackups` throw
 */
export async function readBackups(
  workspace: Workspace,
  asked: BackupsQuestion,
): Promise<{ host: string; stanza: string; info: StanzaInfo }> {
  const host = await findBackupHost(workspace, asked.stanza)
  requireRepositories(host, asked.repository)
  const info = await onHost(workspace, host, asked.environment, (session) =>
    askBackups(session, host, asked.repository),
  )
  return { host: host.name, stanza: host.stanza, info }
}
