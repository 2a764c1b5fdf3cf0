import { counted } from '../counted.js'
import { ExitCode, ExpectedError, IncompleteError, PartialError, UsageError } from '../errors.js'
import { verdictOn, type FoundWords } from '../findings/verdict.js'
import { requireReportPlace, writeSarif, type SarifFile } from '../findings/sarif-file.js'
import type { Surroundings } from '../surroundings.js'
import type { Workspace } from '../workspace.js'
import { revokeApiKey } from './revoke.js'
import { Gathering } from './scan/gather.js'
import { judge, type Knowledge } from './scan/judge.js'
import { lookUp } from './scan/look-up.js'
import { leaksForSarif } from './scan/sarif.js'
import type { Find, Leak, ScanReport } from './scan/types.js'

/** What a scan is to do. */
export interface ScanOrder {
  /** Files and folders; `-` is stdin. */
  paths: readonly string[]
  /** Whether the histories of git repositories are searched as well. */
  hasGit: boolean
  /** Whether live API keys that were found are revoked. */
  revokes: boolean
  /** Where the report for code scanning goes. */
  sarif: SarifFile | undefined
}

/** Suggestions are lines to be read; a list of hundreds is in the result. */
const MAX_SUGGESTIONS = 5

/**
 * Searches files, folders, stdin and git histories for our API keys and device secrets, says by the
 * database which of them are live, and revokes live API keys if asked. Nothing that it gives holds a
 * secret.
 * @param workspace undefined to ask no database: whatever has a right checksum then counts as live
 * Throws with the report as result: FindingsError when something live was found, also when it was
 * revoked, because it had leaked; IncompleteError when something could not be read or looked up;
 * PartialError when a key could not be revoked. Throws UsageError without a path, NotFoundError for
 * one that leads nowhere.
 */
export async function scanForLeaks(
  surroundings: Surroundings,
  workspace: Workspace | undefined,
  order: ScanOrder,
): Promise<ScanReport> {
  if (order.paths.length === 0)
    throw new UsageError('no-path', 'name a file or a folder to scan, or - for stdin', {
      suggestions: ['cleverctl api-key scan .'],
    })
  if (order.sarif !== undefined) await requireReportPlace(order.sarif.file)
  const gathered = await new Gathering(surroundings).gather(order.paths, order.hasGit)
  const { finds, scanned, notChecked } = gathered
  const { leaks, failure } = await judgeAll(surroundings, workspace, finds)
  const report = { findings: leaks, scanned, notChecked }
  const unrevoked =
    order.revokes && workspace !== undefined ? await revokeLive(workspace, leaks) : []
  const { sarif } = order
  if (sarif !== undefined) {
    const { file, folder, version } = sarif
    await writeSarif(file, leaksForSarif(report, version), { folder, result: report })
  }
  return verdict(report, { failure, unrevoked })
}

async function judgeAll(
  { clock, signal }: Surroundings,
  workspace: Workspace | undefined,
  finds: readonly Find[],
): Promise<{ leaks: Leak[]; failure: ExpectedError | undefined }> {
  let known: Knowledge | undefined
  let failure: ExpectedError | undefined
  try {
    if (workspace !== undefined) known = await lookUp(workspace, finds)
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof ExpectedError)) throw error
    failure = error
  }
  const now = clock.now()
  return { leaks: finds.map((find) => judge(find, known, now)).sort(byPlace), failure }
}

/** Each key once, however often it was found. */
async function revokeLive(
  workspace: Workspace,
  leaks: readonly Leak[],
): Promise<{ keyId: string; error: ExpectedError }[]> {
  const live = new Map<string, Leak[]>()
  for (const leak of leaks) {
    if (leak.live !== true || leak.keyId === null) continue
    live.set(leak.keyId, [...(live.get(leak.keyId) ?? []), leak])
  }
  const failed: { keyId: string; error: ExpectedError }[] = []
  for (const [keyId, found] of live) {
    workspace.signal.throwIfAborted()
    const first = found.find(({ file }) => file !== null) ?? found[0]
    if (first === undefined || first.installation === null) continue
    try {
      const { installation } = first
      await revokeApiKey(workspace, { installation, keyId, reason: reasonFor(first) })
      const next = first.state === 'CURRENT' ? issueNext(installation) : null
      for (const leak of found) Object.assign(leak, { revoked: true, next })
    } catch (error) {
      if (!(error instanceof ExpectedError)) throw error
      failed.push({ keyId, error })
    }
  }
  return failed
}

function issueNext(installation: string): string {
  return `cleverctl api-key issue ${installation} --output key.txt`
}

/** A trail's line should say where, but paths may be long. */
const MAX_PLACE = 300

function reasonFor({ file, line, commit, object }: Leak): string {
  const path = (file ?? `git object ${object}`).slice(-MAX_PLACE)
  const place = `${path}${line === null ? '' : `:${line}`}`
  return `leaked: found by api-key scan in ${place}${commit == null ? '' : ` of commit ${commit}`}`
}

function verdict(
  report: ScanReport,
  trouble: {
    failure: ExpectedError | undefined
    unrevoked: readonly { keyId: string; error: ExpectedError }[]
  },
): ScanReport {
  const { findings, notChecked } = report
  const [unrevoked] = trouble.unrevoked
  if (unrevoked !== undefined) {
    const message = `${counted(trouble.unrevoked.length, 'leaked API key')} could not be revoked: ${unrevoked.error.message}`
    const { suggestions } = unrevoked.error
    throw new PartialError('not-revoked', message, { result: report, suggestions })
  }
  if (trouble.failure !== undefined) {
    const { exitCode, message, suggestions } = trouble.failure
    const code = exitCode === ExitCode.unreachable ? exitCode : ExitCode.failure
    const text = `what was found could not be looked up: ${message}`
    throw new IncompleteError(code, text, { result: report, suggestions })
  }
  const live = findings.filter((leak) => leak.live ?? leak.checksumMatches !== false)
  return verdictOn(report, {
    found: live.length > 0 && foundLive(live),
    unchecked: notChecked.length > 0 && {
      words: `${counted(notChecked.length, 'place')} could not be scanned`,
      isOutOfReach: false,
    },
  })
}

function foundLive(live: readonly Leak[]): FoundWords {
  const isOffline = live.some((leak) => leak.live === null)
  const words = isOffline
    ? `${counted(live.length, 'secret')} found, perhaps live: no database was asked`
    : `${counted(live.length, 'live secret')} found`
  const next = [...new Set(live.flatMap((leak) => leak.next ?? []))]
  return { code: 'secrets-leaked', words, suggestions: next.slice(0, MAX_SUGGESTIONS) }
}

function byPlace(one: Leak, other: Leak): number {
  return (
    compare(one.file ?? '', other.file ?? '') ||
    compare(one.commit ?? '', other.commit ?? '') ||
    (one.line ?? 0) - (other.line ?? 0) ||
    (one.column ?? 0) - (other.column ?? 0)
  )
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}
