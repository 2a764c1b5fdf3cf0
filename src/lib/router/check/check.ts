import { CancelledError, ExpectedError, UnreachableError } from '../../errors.js'
import { requireReportPlace, type SarifFile } from '../../findings/sarif-file.js'
import type { FindingLevel } from '../../findings/types.js'
import { recordInTrail } from '../../trail/append.js'
import type { Workspace } from '../../workspace.js'
import { inspectorOf } from '../drivers/inspectors.js'
import { newSalt } from '../drivers/salt.js'
import type { Ways } from '../../ssh/pin.js'
import { openRouter } from '../way-in.js'
import type { RouterDriver } from '../types.js'
import { judgeRouter } from './rules.js'
import { addShared, sharedSecret } from './shared.js'
import { writeCheckSarif } from './sarif.js'
import { countRouters } from './store.js'
import { routersOf, targetsOf, type Selection, type Target } from './targets.js'
import {
  finding,
  SEVERITIES,
  type CheckRuleId,
  type RouterCheck,
  type RouterFinding,
} from './types.js'
import { judgeCheck } from './verdict.js'

/** What to look at, and how. */
export interface CheckQuestion {
  selection: Selection
  /** Routers at a time. */
  concurrency: number
  /** The mildest severity that makes the command end with 8. */
  failOn: FindingLevel
  /** The firmware that routers should have at least, by driver. */
  firmware: ReadonlyMap<RouterDriver, string>
  /** Where SARIF goes, and what it says of this program. */
  sarif: SarifFile | undefined
}

/** What of a failed login is a finding; every other failure means that nothing is known. */
const FINDING_OF: Readonly<Record<string, CheckRuleId>> = {
  'host-key-changed': 'host-key-changed',
  'ssh-login-refused': 'password-refused',
  'ssh-open-to-all': 'empty-password',
}

/**
 * Looks at routers over SSH and holds their state against what is recorded, by digests under a salt of this run: no
 * secret leaves a router. Changes nothing there. The trail takes down first that credentials are used.
 * @throws NotFoundError for a router that is not recorded, UsageError for a place where no file can be written
 * @throws FindingsError when there is a finding as bad as `failOn`, with the code of a conflict for a changed host key,
 *   else of a refusal for a refused credential; else IncompleteError when a router could not be looked at. The check is
 *   their result
 */
export async function checkRouters(
  workspace: Workspace,
  asked: CheckQuestion,
  ways: Pick<Ways, 'environment'>,
): Promise<RouterCheck> {
  const { database, clock, log, random, signal } = workspace
  const { selection, concurrency, failOn, firmware, sarif } = asked
  if (sarif !== undefined) await requireReportPlace(sarif.file)
  const salt = newSalt(random)
  const check: RouterCheck = {
    findings: [],
    notChecked: [],
    checked: 0,
    checkedAt: clock.now().toISOString(),
  }
  /** Who has a passphrase, by its digest. */
  const holders = new Map<string, string[]>()
  const total =
    'installations' in selection
      ? new Set(selection.installations).size
      : await countRouters(database, selection.driver)
  let done = 0
  let isInTrail = false
  let isOutOfReach = false
  const atWork = new Set<Promise<unknown>>()
  /** What ends it all, unlike a router that cannot be looked at. */
  let broken: { error: unknown } | undefined
  try {
    for await (const rows of routersOf(workspace, selection)) {
      if (!isInTrail) await takeDown(workspace, selection, total)
      isInTrail = true
      for (const target of await targetsOf(workspace, rows, { ways, firmware })) {
        signal.throwIfAborted()
        const work: Promise<unknown> = look(target)
          .catch((error: unknown) => (broken ??= { error }))
          .finally(() => atWork.delete(work))
        atWork.add(work)
        if (atWork.size >= concurrency) await Promise.race(atWork)
        if (broken) break
      }
      if (broken) break
    }
  } finally {
    await Promise.all(atWork)
  }
  if (broken) throw broken.error
  addShared(check, holders)
  check.findings.sort(byInstallation)
  check.notChecked.sort((a, b) => (a.installation < b.installation ? -1 : 1))
  if (sarif !== undefined) await writeCheckSarif(check, sarif)
  return judgeCheck(check, failOn, isOutOfReach)

  async function look(target: Target): Promise<void> {
    const { router, expected, shared } = target
    const { installation } = router
    try {
      const inspect = inspectorOf(router.driver)
      const session = await openRouter(workspace, router, await target.login(), ways)
      try {
        const state = await inspect(session, salt)
        check.findings.push(...judgeRouter(state, expected, salt))
        const digests = new Set(state.accessPoints.flatMap(({ keyDigest }) => keyDigest ?? []))
        for (const digest of digests)
          holders.set(digest, [...(holders.get(digest) ?? []), installation])
      } finally {
        session.close()
      }
      for (const { kind, others } of shared)
        check.findings.push(sharedSecret(installation, kind, others))
      check.checked += 1
    } catch (error) {
      isOutOfReach ||= error instanceof UnreachableError
      tellFailure(installation, error)
    }
    log.progress({ done: (done += 1), total, unit: 'routers' })
  }

  function tellFailure(installation: string, error: unknown): void {
    if (!(error instanceof ExpectedError) || error instanceof CancelledError || signal.aborted)
      throw error
    const rule = FINDING_OF[error.code]
    if (rule !== undefined) {
      const next = `cleverctl router show ${installation}`
      check.findings.push(finding(rule, installation, error.message, next))
    } else check.notChecked.push({ installation, code: error.code, reason: error.message })
  }
}

/** A credential that was used and is not in the trail must not be possible. */
async function takeDown(
  workspace: Workspace,
  selection: Selection,
  routers: number,
): Promise<void> {
  const subject =
    'installations' in selection && routers === 1 ? (selection.installations[0] ?? '') : 'routers'
  const details =
    'installations' in selection ? { ...selection } : { driver: selection.driver ?? null }
  await recordInTrail(workspace, {
    action: 'router.check',
    subject,
    details: { routers, ...details },
  })
}

function byInstallation(a: RouterFinding, b: RouterFinding): number {
  if (a.installation !== b.installation) return a.installation < b.installation ? -1 : 1
  return SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity)
}
