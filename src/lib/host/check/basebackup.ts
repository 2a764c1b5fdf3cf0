import { connectionTo, receiverName } from '../../backup/basebackup/receiver.js'
import { callEngine } from '../../backup/basebackup/on-host.js'
import { FailureError } from '../../errors.js'
import type { SshSession } from '../../ssh/session.js'
import { lastWords } from '../say.js'
import type { HostRow } from '../store.js'
import type { HostCheck } from './judge.js'

/**
 * Looks whether a backup machine has what pg_basebackup needs, is let in by every database host, and receives WAL.
 * @param all every host that is recorded
 * @returns undefined where pgBackRest makes the backups of this host; empty on a database host of such a machine
 */
export async function lookAtEngine(
  session: SshSession,
  host: HostRow,
  all: readonly HostRow[],
): Promise<HostCheck[] | undefined> {
  const mine = all.filter(({ stanza }) => stanza === host.stanza)
  const { basebackup } = host
  if (basebackup === null)
    return host.role === 'database' && mine.some((each) => each.basebackup) ? [] : undefined
  const databases = mine.filter(({ role }) => role === 'database')
  const connections = databases.map((database) => connectionTo([database], basebackup.role))
  const result = await callEngine(session, 'check', [basebackup.directory, ...connections])
  if (result.code !== 0) throw new FailureError('look-failed', `${host.name}: ${lastWords(result)}`)
  const lines = result.stdout.toString('utf8').trim().split('\n')
  return lines.map((line) => {
    const [state, check = '', message = ''] = line.split('\t')
    if (state === 'ok') return { check, state, message, fix: null }
    return { check, state: 'problem', message, fix: fixOf(check, host) }
  })
}

function fixOf(check: string, { name, stanza, basebackup }: HostRow): string {
  if (check === 'receiver') return `systemctl enable --now ${receiverName(stanza)}`
  if (check === 'replication')
    return `pg_hba.conf and ~/.pgpass, for the role ${basebackup?.role ?? ''}; docs/estate.md`
  return `cleverctl host prepare ${name}`
}
