import { counted } from '../counted.js'
import { UnreachableError, UsageError } from '../errors.js'
import { verdictOn } from '../findings/verdict.js'
import { selectLastDrills } from '../drill/store.js'
import { requirePlace } from '../file-system.js'
import { noDatabaseHost } from '../host/database-hosts.js'
import { selectHosts, type HostRow } from '../host/store.js'
import { selectLastSnapshots } from '../snapshot/store.js'
import { writeReport } from '../findings/report-file.js'
import type { Workspace } from '../workspace.js'
import { describeCluster } from './describe.js'
import { toPrometheus } from './prometheus.js'
import { readCluster, type SeenCluster } from './read.js'
import type { ClusterLimits, ClusterStatus } from './types.js'

/** What to look at, and what to do with it. */
export interface ClusterQuestion {
  environment: NodeJS.ProcessEnv
  /** Undefined where all hosts are of one stanza. */
  stanza: string | undefined
  limits: ClusterLimits
  /** Whether a problem ends the command with 8. */
  isChecking: boolean
  /** Where metrics go for node_exporter's textfile collector. */
  prometheusFile: string | undefined
}

/**
 * How a cluster stands. Who is primary is asked of PostgreSQL on every host; changes nothing anywhere.
 * @throws NotFoundError without hosts, UsageError when several clusters are recorded and none is named
 * @throws FindingsError with `isChecking` when there is a problem; else IncompleteError when a host could not be
 *   asked; the status is their result
 */
export async function clusterStatus(
  workspace: Workspace,
  asked: ClusterQuestion,
): Promise<ClusterStatus> {
  const { database, clock } = workspace
  const { environment, limits, prometheusFile } = asked
  if (prometheusFile !== undefined) await requirePlace(prometheusFile)
  const { hosts, stanza } = clusterOf(await selectHosts(database, undefined), asked.stanza)
  const seen = await readCluster(workspace, hosts, environment)
  const drills = await selectLastDrills(database, stanza)
  const snapshots = await selectLastSnapshots(database, stanza)
  const now = clock.now()
  const status = describeCluster(seen, stanza, { limits, drills, snapshots, now })
  if (prometheusFile !== undefined) await writeReport(prometheusFile, toPrometheus(status))
  return verdict(status, seen, asked.isChecking)
}

function clusterOf(
  all: readonly HostRow[],
  wanted: string | undefined,
): { hosts: HostRow[]; stanza: string } {
  const stanzas = [...new Set(all.map(({ stanza }) => stanza))].sort()
  const stanza = wanted ?? (stanzas.length === 1 ? stanzas[0] : undefined)
  if (stanza === undefined && stanzas.length > 1)
    throw new UsageError(
      'several-clusters',
      `hosts of several clusters are recorded: ${stanzas.join(', ')}`,
      {
        suggestions: [`cleverctl cluster status --stanza ${stanzas[0]}`],
      },
    )
  const hosts = all.filter((host) => host.stanza === stanza)
  if (stanza === undefined || !hosts.some(({ role }) => role === 'database'))
    throw noDatabaseHost(wanted)
  return { hosts, stanza }
}

function verdict(status: ClusterStatus, seen: SeenCluster, isChecking: boolean): ClusterStatus {
  const { problems } = status
  const { notChecked } = seen
  return verdictOn(status, {
    found: isChecking &&
      problems.length > 0 && {
        code: 'cluster-needs-attention',
        words: counted(problems.length, 'problem'),
      },
    unchecked: notChecked.length > 0 && {
      words: `could not ask ${notChecked.map(({ host }) => host).join(', ')}`,
      isOutOfReach: notChecked.some(({ error }) => error instanceof UnreachableError),
      suggestions: ['cleverctl host list'],
    },
  })
}
