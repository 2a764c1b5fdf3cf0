import type { SeenPostgresql } from '../cluster/ask.js'
import { andMore } from '../counted.js'
import { CancelledError, ExpectedError } from '../errors.js'
import { verdictOn, type FoundWords } from '../findings/verdict.js'
import { findBackupHost } from '../host/backup-host.js'
import { onHost } from '../host/reach.js'
import type { HostRow } from '../host/store.js'
import type { SshSession } from '../ssh/session.js'
import { recordInTrail } from '../trail/append.js'
import type { Workspace } from '../workspace.js'
import { askPrimary } from './archived.js'
import { askBackups, requireRepositories } from './ask.js'
import { verifyBasebackups } from './basebackup/verify.js'
import { inRepository, type RepositoryStatus, type StanzaInfo } from './info.js'
import type { BackupsQuestion } from './list.js'
import { toNotChecked, uncheckedWords, type NotChecked, type Unchecked } from './unchecked.js'
import type { RepositoryFault, Verified } from './verify-output.js'
import { verifyRepository } from './verify-repository.js'

/** What was looked at, and what was found. */
export interface BackupVerification {
  host: string
  stanza: string
  checkedAt: string
  /** Those that were looked at to their end. */
  repositories: number
  backups: number
  walSegments: number
  faults: RepositoryFault[]
  /** What could not be looked at, and why. */
  notChecked: NotChecked[]
}

const USUAL_SEGMENT_BYTES = 16 * 1024 ** 2

/**
 * Reads every file of every repository again, by pgBackRest or pg_verifybackup, and looks for gaps in the WAL itself,
 * which neither sees. One that cannot be looked at does not keep the others from it. Changes nothing there.
 * @throws FindingsError when something is damaged or missing; else IncompleteError when something could not be looked
 *   at; the verification is their result. What `readBackups` throws
 */
export async function verifyBackups(
  workspace: Workspace,
  asked: BackupsQuestion,
): Promise<BackupVerification> {
  const { environment, repository: only } = asked
  const host = await findBackupHost(workspace, asked.stanza)
  requireRepositories(host, only)
  const checkedAt = workspace.clock.now().toISOString()
  const unchecked: Unchecked[] = []
  // Asked first: what it has handed over by now must be there afterwards.
  const answer = await askPrimary(workspace, host.stanza, environment)
  if (answer instanceof Error) unchecked.push({ what: 'the end of the WAL', error: answer })
  const primary = answer instanceof Error ? undefined : answer
  const counts = { repositories: 0, backups: 0, walSegments: 0 }
  const faults: RepositoryFault[] = []
  await onHost(workspace, host, environment, async (session) => {
    const info = await askBackups(session, host, only)
    counts.backups = info.backups.length
    for (const repository of info.repositories) {
      const { number } = repository
      workspace.signal.throwIfAborted()
      try {
        const parts = verifyOne(workspace, session, { host, info, repository, primary })
        for await (const part of parts) {
          counts.walSegments += part.segments
          faults.push(
            ...part.faults.map(({ code, message }) => ({ repository: number, code, message })),
          )
        }
        counts.repositories += 1
      } catch (error) {
        if (!(error instanceof ExpectedError) || error instanceof CancelledError) throw error
        unchecked.push({ what: `repository ${number}`, error })
      }
    }
  })
  const { name, stanza } = host
  const notChecked = toNotChecked(unchecked)
  const verification = { host: name, stanza, checkedAt, ...counts, faults, notChecked }
  await record(workspace, verification)
  return verdictOn(verification, {
    found: damageIn(faults),
    unchecked: uncheckedWords(unchecked, [
      'cleverctl backup repo check',
      'cleverctl cluster status',
    ]),
  })
}

function verifyOne(
  workspace: Workspace,
  session: SshSession,
  given: {
    host: HostRow
    info: StanzaInfo
    repository: RepositoryStatus
    primary: SeenPostgresql | undefined
  },
): AsyncGenerator<Verified> {
  const { host, repository, primary } = given
  const { stanza, basebackup, name } = host
  const info = inRepository(given.info, repository.number, name)
  const segmentBytes = primary?.walSegmentBytes ?? USUAL_SEGMENT_BYTES
  const seen = { info, primary, segmentBytes }
  return basebackup
    ? verifyBasebackups(workspace, session, { host, basebackup, ...seen })
    : verifyRepository(session, { stanza, repository, ...seen })
}

async function record(
  workspace: Workspace,
  { host, stanza, repositories, backups, walSegments, faults, notChecked }: BackupVerification,
): Promise<void> {
  const details = { host, repositories, backups, walSegments, faults: faults.length, notChecked }
  await recordInTrail(workspace, {
    phase: 'outcome',
    action: 'backup.verify',
    subject: stanza,
    details: { ...details, first: faults[0]?.message ?? null },
  })
}

function damageIn(faults: readonly RepositoryFault[]): FoundWords | false {
  const [first] = faults
  return (
    first !== undefined && {
      code: 'repository-damaged',
      words: `repository ${first.repository}: ${first.message}${andMore(faults)}`,
      suggestions: ['cleverctl backup run --type full, so that a whole backup is there again'],
    }
  )
}
