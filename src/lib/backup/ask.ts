import { UsageError } from '../errors.js'
import type { HostRow } from '../host/store.js'
import type { SshSession } from '../ssh/session.js'
import { askBasebackups } from './basebackup/on-host.js'
import { askStanza, inRepository, type StanzaInfo } from './info.js'

/**
 * Asks a backup machine what it has, whatever makes the backups there.
 * @param repository number of the one that is asked for; undefined: all
 * @throws FailureError when that cannot be told, NotFoundError without such a repository
 */
export async function askBackups(
  session: SshSession,
  host: HostRow,
  repository?: number,
): Promise<StanzaInfo> {
  const { basebackup, stanza, name } = host
  const info = basebackup
    ? await askBasebackups(session, basebackup)
    : await askStanza(session, stanza)
  return repository === undefined ? info : inRepository(info, repository, name)
}

/** Refuses the number of a repository where pg_basebackup makes the backups. @throws UsageError */
export function requireRepositories(
  { name, basebackup }: HostRow,
  repository: number | undefined,
): void {
  if (basebackup !== null && repository !== undefined)
    throw new UsageError('surplus-flag', `pg_basebackup on ${name} knows no repositories`)
}
