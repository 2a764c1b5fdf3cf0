import { setTimeout as sleep } from 'node:timers/promises'
import { askBackups } from '../backup/ask.js'
import type { StanzaInfo } from '../backup/info.js'
import { ExpectedError } from '../errors.js'
import { onHosts } from '../host/reach.js'
import type { HostRow } from '../host/store.js'
import type { Workspace } from '../workspace.js'
import { askPostgresql, type SeenDatabase } from './ask.js'
import { bytesBehind } from './lsn.js'

/** A database host as it was seen; undefined where it was not. */
export interface SeenHost {
  host: HostRow
  seen: SeenDatabase | undefined
  /** What a standby had not replayed of what the primary had written; undefined where that is not known. */
  lag: { bytes: number; seconds: number } | undefined
}

/** The backup machine as it was seen. */
export interface SeenBackup {
  host: HostRow
  stanza: StanzaInfo | undefined
}

/** Everything that was seen of a cluster. */
export interface SeenCluster {
  databases: SeenHost[]
  backup: SeenBackup | undefined
  notChecked: { host: string; error: ExpectedError }[]
}

/** How long a standby is given to show that it is not late at all. */
const SECOND_LOOK_MS = 300
/** Below that a standby is not late for anybody. */
const PROMPT_SECONDS = 1
const MS = 1000

/** Asks every host at once. @throws CancelledError */
export async function readCluster(
  workspace: Workspace,
  hosts: readonly HostRow[],
  environment: NodeJS.ProcessEnv,
): Promise<SeenCluster> {
  const notChecked: SeenCluster['notChecked'] = []
  const reached = await onHosts(workspace, hosts, environment, async (session, host) =>
    host.postgresql === null
      ? { stanza: await askBackups(session, host) }
      : { seen: await askPostgresql(session, host.postgresql) },
  )
  const databases: SeenHost[] = []
  let backup: SeenBackup | undefined
  for (const { host, result } of reached) {
    const isSilent = result instanceof ExpectedError
    if (isSilent) notChecked.push({ host: host.name, error: result })
    const found: { stanza?: StanzaInfo; seen?: SeenDatabase } = isSilent ? {} : result
    if (host.role === 'backup') backup ??= { host, stanza: found.stanza }
    else databases.push({ host, seen: found.seen, lag: undefined })
  }
  const late = await lookAgain(workspace, withLag(databases), environment)
  return { databases: late, backup, notChecked }
}

/** The one host that takes writes; undefined where there is none, or more than one. */
export function primaryOf(databases: readonly SeenHost[]): SeenHost | undefined {
  const found = databases.filter(({ seen }) => seen?.state === 'up' && !seen.facts.isInRecovery)
  return found.length === 1 ? found[0] : undefined
}

function withLag(databases: readonly SeenHost[]): SeenHost[] {
  const lsn = writtenBy(primaryOf(databases))
  return databases.map((each) => ({ ...each, lag: lagOf(each.seen, lsn) }))
}

const writtenBy = (primary: SeenHost | undefined) =>
  primary?.seen?.state === 'up' ? primary.seen.facts.lsn : undefined

function lagOf(seen: SeenDatabase | undefined, primaryLsn: string | undefined): SeenHost['lag'] {
  if (seen?.state !== 'up' || primaryLsn === undefined) return undefined
  const { replayLsn, replayedSeconds } = seen.facts
  if (replayLsn === null) return undefined
  const bytes = bytesBehind(replayLsn, primaryLsn)
  return { bytes, seconds: bytes === 0 ? 0 : (replayedSeconds ?? 0) }
}

/**
 * The last transaction may be hours old, and the record that a standby lacks just written. Once it has been replayed
 * the standby was late by no more than the time between both looks.
 */
async function lookAgain(
  workspace: Workspace,
  databases: readonly SeenHost[],
  environment: NodeJS.ProcessEnv,
): Promise<SeenHost[]> {
  const late = databases.filter(({ lag }) => lag !== undefined && lag.seconds > PROMPT_SECONDS)
  if (late.length === 0) return [...databases]
  const lsn = writtenBy(primaryOf(databases))
  const from = performance.now()
  await sleep(SECOND_LOOK_MS, undefined, { signal: workspace.signal })
  const hosts = late.map(({ host }) => host)
  const again = await onHosts(workspace, hosts, environment, async (session, { postgresql }) =>
    postgresql === null ? undefined : lagOf(await askPostgresql(session, postgresql), lsn),
  )
  return databases.map((each) => {
    const answer = again.find(({ host }) => host.name === each.host.name)?.result
    const hasCaughtUp =
      answer !== undefined && !(answer instanceof ExpectedError) && answer.bytes === 0
    if (!hasCaughtUp || each.lag === undefined) return each
    return { ...each, lag: { bytes: 0, seconds: (performance.now() - from) / MS } }
  })
}
