import { CancelledError, ExpectedError, NotFoundError, UsageError } from '../errors.js'
import { refuseFault } from '../fault.js'
import { selectHost, type HostRow } from '../host/store.js'
import { faultOfPath, unknownHost } from '../host/types.js'
import { recordInTrail } from '../trail/append.js'
import type { Workspace } from '../workspace.js'
import { copySnapshot, onSnapshotHost } from './on-host.js'
import { selectSet } from './store.js'
import { requireSetName, unknownSet, type SnapshotMember } from './types.js'

/** A copy of a snapshot in a folder of its own. */
export interface RestoredSnapshot extends Pick<
  SnapshotMember,
  'host' | 'lsn' | 'timeline' | 'role' | 'takenAt'
> {
  set: string
  directory: string
}

/** What is to be copied, and where to. */
export interface RestoreQuestion {
  environment: NodeJS.ProcessEnv
  set: string
  host: string
  directory: string
}

/**
 * Copies the snapshot of a host to a folder on the same host, from which a server can be started. The folder is not
 * there yet or is empty, so no data are overwritten. The same again goes on after an interruption.
 * @throws UsageError for a folder that cannot be, NotFoundError for a set, a host or a snapshot that is not there,
 *   FailureError when the host refuses or fails, and what `onHost` throws
 */
export async function restoreSnapshot(
  workspace: Workspace,
  asked: RestoreQuestion,
): Promise<RestoredSnapshot> {
  const { set: name, directory, environment } = asked
  requireSetName(name)
  refuseFault(faultOfPath(directory))
  const [set, host] = [
    await selectSet(workspace.database, name),
    await selectHost(workspace.database, asked.host),
  ]
  if (set === undefined) throw unknownSet(name)
  if (host === undefined) throw unknownHost(asked.host)
  const member = set.members.find(({ hostId }) => hostId === host.id)
  if (member?.state !== 'taken')
    throw new NotFoundError('snapshot-not-there', `${name} has no snapshot of ${host.name}`, {
      suggestions: ['cleverctl snapshot list'],
    })
  refuseLivePlaces(host, directory)
  await record(workspace, 'intent', name, { host: host.name, directory })
  try {
    await onSnapshotHost(workspace, host, environment, (session) =>
      copySnapshot(session, host, name, directory),
    )
  } catch (error) {
    const isKnown = error instanceof ExpectedError && !(error instanceof CancelledError)
    if (isKnown)
      await record(workspace, 'outcome', name, {
        ...{ host: host.name, directory, error: error.code, message: error.message },
      })
    throw error
  }
  await record(workspace, 'outcome', name, { host: host.name, directory })
  const { lsn, timeline, role, takenAt } = member
  return { set: name, host: host.name, directory, lsn, timeline, role, takenAt }
}

function refuseLivePlaces({ postgresql, snapshot }: HostRow, directory: string): void {
  const isIn = (inner: string, outer: string) => `${inner}/`.startsWith(`${outer}/`)
  const live = [postgresql?.dataDirectory, snapshot?.directory].filter((each) => each !== undefined)
  const clash = live.find((each) => isIn(directory, each) || isIn(each, directory))
  if (clash !== undefined)
    throw new UsageError(
      'live-directory',
      `${directory}: a copy cannot lie in or around ${clash}`,
      { suggestions: ['--to a folder of its own'] },
    )
}

async function record(
  workspace: Workspace,
  phase: 'intent' | 'outcome',
  subject: string,
  details: Record<string, unknown>,
): Promise<void> {
  await recordInTrail(workspace, { phase, action: 'snapshot.restore', subject, details })
}
