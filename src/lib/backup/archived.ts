import type { SeenPostgresql } from '../cluster/ask.js'
import { primaryOf, readCluster } from '../cluster/read.js'
import { FailureError, UnreachableError } from '../errors.js'
import { selectHosts } from '../host/store.js'
import type { Workspace } from '../workspace.js'

const ARCHIVED_FORM = /^([0-9A-F]{24})(?:\.[0-9A-F]{8}\.backup)?$/

/**
 * Asks the primary of a stanza.
 * @returns what it says; UnreachableError or FailureError where none was found, so that the rest can be looked at
 */
export async function askPrimary(
  workspace: Workspace,
  stanza: string,
  environment: NodeJS.ProcessEnv,
): Promise<SeenPostgresql | Error> {
  const hosts = await selectHosts(workspace.database, 'database')
  const mine = hosts.filter((host) => host.stanza === stanza)
  const seen = await readCluster(workspace, mine, environment)
  const primary = primaryOf(seen.databases)?.seen
  if (primary?.state === 'up') return primary.facts
  const silent = seen.notChecked.find(({ error }) => error instanceof UnreachableError)
  const message = 'the primary was not found'
  return silent
    ? new UnreachableError('no-primary', message)
    : new FailureError('no-primary', message)
}

/** The 24 digits of the segment that was archived last; undefined where it was no segment. */
export function archivedSegment(lastWal: string | null): string | undefined {
  return ARCHIVED_FORM.exec(lastWal ?? '')?.[1]
}
