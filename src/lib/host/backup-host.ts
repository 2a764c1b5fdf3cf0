import { ConflictError, NotFoundError } from '../errors.js'
import type { Workspace } from '../workspace.js'
import { selectHosts, type HostRow } from './store.js'
import { ofStanza } from './types.js'

/**
 * The backup machine of a stanza.
 * @param stanza undefined where all backup machines have the same
 * @throws NotFoundError without one, ConflictError when there are several and none can be told from the others
 */
export async function findBackupHost(
  { database }: Pick<Workspace, 'database'>,
  stanza: string | undefined,
): Promise<HostRow> {
  const all = await selectHosts(database, 'backup')
  const hosts = all.filter((host) => stanza === undefined || host.stanza === stanza)
  const [first, second] = hosts
  if (first === undefined)
    throw new NotFoundError('no-backup-host', `no backup machine${ofStanza(stanza)} is recorded`, {
      suggestions: ['cleverctl host add bak1 --role backup', 'cleverctl host list'],
    })
  if (second === undefined) return first
  throw new ConflictError('several-backup-hosts', 'several backup machines are recorded', {
    suggestions: hosts.map((host) => `--stanza ${host.stanza}`),
  })
}

/**
 * The same where pgBackRest makes the backups.
 * @throws ConflictError where pg_basebackup does, and what {@link findBackupHost} throws
 */
export async function findPgbackrestHost(
  workspace: Pick<Workspace, 'database'>,
  stanza: string | undefined,
): Promise<HostRow> {
  const host = await findBackupHost(workspace, stanza)
  if (host.basebackup === null) return host
  throw new ConflictError(
    'no-repositories',
    `${host.name} makes backups by pg_basebackup, which knows no repositories`,
    { suggestions: ['cleverctl backup status', 'cleverctl backup verify'] },
  )
}
