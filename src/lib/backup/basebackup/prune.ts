import { findPrograms } from '../../drill/programs.js'
import type { Basebackup } from '../../host/types.js'
import type { SshSession } from '../../ssh/session.js'
import { askBasebackups, requireEngine } from './on-host.js'

/** Deletes one backup. @throws ConflictError while another is being made, FailureError */
export async function expireBasebackup(
  session: SshSession,
  { directory }: Basebackup,
  label: string,
): Promise<void> {
  await requireEngine(session, 'expire', [directory, label])
}

/** Deletes the WAL that no backup needs any more: what comes before the end of the oldest one, which has its own. */
export async function trimWal(session: SshSession, basebackup: Basebackup): Promise<void> {
  const { backups } = await askBasebackups(session, basebackup)
  const [oldest] = backups
  if (oldest === undefined) return
  const programs = await findPrograms(session, oldest.archive.split('-')[0] ?? '')
  // Of all timelines: their names differ in the first eight digits, which pg_archivecleanup leaves out of account.
  const first = backups
    .map(({ walStop }) => walStop)
    .sort((a, b) => (a.slice(8) < b.slice(8) ? -1 : 1))
  await requireEngine(session, 'trim', [basebackup.directory, programs, first[0] ?? oldest.walStop])
}
