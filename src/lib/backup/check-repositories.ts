import { andMore } from '../counted.js'
import { ExpectedError, FailureError, NotFoundError } from '../errors.js'
import { verdictOn, type FoundWords } from '../findings/verdict.js'
import { findPgbackrestHost } from '../host/backup-host.js'
import { onHosts } from '../host/reach.js'
import { selectHosts } from '../host/store.js'
import type { Workspace } from '../workspace.js'
import { archivedSegment, askPrimary } from './archived.js'
import { askRepositories } from './ask-repositories.js'
import {
  judgeRepositories,
  type SeenRepository,
  type RepositoryProblem,
} from './judge-repositories.js'
import { toNotChecked, uncheckedWords, type NotChecked, type Unchecked } from './unchecked.js'

/** The repositories of a stanza, as each of its machines sees them. */
export interface CheckedRepositories {
  stanza: string
  checkedAt: string
  repositories: SeenRepository[]
  faults: RepositoryProblem[]
  /** What could not be looked at, and why. */
  notChecked: NotChecked[]
}

/**
 * Asks pgBackRest on every machine of a stanza for every repository. Changes nothing.
 * @param asked.repository its number; undefined: all
 * @throws NotFoundError for a repository that no machine knows; FindingsError when something is wrong; else
 *   IncompleteError when something could not be looked at. The result is theirs
 */
export async function checkRepositories(
  workspace: Workspace,
  asked: {
    stanza: string | undefined
    repository: number | undefined
    environment: NodeJS.ProcessEnv
  },
): Promise<CheckedRepositories> {
  const { environment, repository } = asked
  const backupHost = await findPgbackrestHost(workspace, asked.stanza)
  const { stanza } = backupHost
  const databases = await selectHosts(workspace.database, 'database')
  const hosts = [backupHost, ...databases.filter((host) => host.stanza === stanza)]
  // Asked first: what it has archived by now must be in every repository afterwards.
  const archived = await askLastSegment(workspace, stanza, environment)
  const reached = await onHosts(workspace, hosts, environment, askRepositories)
  const failures = reached.flatMap(({ host, result }) =>
    result instanceof ExpectedError ? [{ what: host.name, error: result }] : [],
  )
  const seen = reached.flatMap(({ result }) => (result instanceof ExpectedError ? [] : [result]))
  const segment = archived instanceof Error ? undefined : archived
  const judged = judgeRepositories(seen, segment, repository)
  const unasked: Unchecked[] = [
    ...failures,
    ...(archived instanceof Error ? [{ what: 'the end of the WAL', error: archived }] : []),
  ]
  const checked: CheckedRepositories = {
    stanza,
    checkedAt: workspace.clock.now().toISOString(),
    ...judged,
    notChecked: toNotChecked(unasked),
  }
  if (failures.length === 0 && checked.repositories.length === 0) throw unknown(stanza, repository)
  return verdictOn(checked, {
    found: faultIn(checked.faults),
    unchecked: uncheckedWords(unasked, ['cleverctl host check']),
  })
}

/** @returns an error where it is not known, as `askPrimary` does */
async function askLastSegment(
  workspace: Workspace,
  stanza: string,
  environment: NodeJS.ProcessEnv,
): Promise<string | Error> {
  const primary = await askPrimary(workspace, stanza, environment)
  if (primary instanceof Error) return primary
  const none = new FailureError('no-wal', 'the primary has archived no segment yet')
  return archivedSegment(primary.archiver.lastArchivedWal) ?? none
}

function unknown(stanza: string, repository: number | undefined): NotFoundError {
  const which = repository === undefined ? 'a repository' : `a repository ${repository}`
  return new NotFoundError('no-repository', `no machine of ${stanza} knows ${which}`, {
    suggestions: ['cleverctl backup repo check', 'pgbackrest.conf of each machine, repo1-…'],
  })
}

function faultIn(faults: readonly RepositoryProblem[]): FoundWords | false {
  const [first] = faults
  return (
    first !== undefined && {
      code: 'repository',
      words: `repository ${first.repository} from ${first.host}: ${first.message}${andMore(faults)}`,
      suggestions: [first.fix],
    }
  )
}
