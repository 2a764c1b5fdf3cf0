import { StatementError } from '../../database/statement-error.js'
import { counted } from '../../counted.js'
import {
  CancelledError,
  ExpectedError,
  NotFoundError,
  UnreachableError,
  UsageError,
} from '../../errors.js'
import { verdictOn } from '../../findings/verdict.js'
import { requireReportPlace, type SarifFile } from '../../findings/sarif-file.js'
import { unknownInstallation } from '../../installation/types.js'
import type { Workspace } from '../../workspace.js'
import { hasInstallation } from '../list-store.js'
import { AUDIT_RULES } from './rules.js'
import { writeAuditSarif } from './sarif.js'
import { hasBatch } from './store.js'
import type { AuditAges, AuditFilter, AuditKind, AuditRule, DeviceAudit } from './types.js'

/** What to audit. An absent condition holds for all, an absent age is the default. */
export interface AuditQuestion {
  kinds: readonly AuditKind[] | undefined
  installation: string | undefined
  batch: string | undefined
  ages: { [Age in keyof AuditAges]: AuditAges[Age] | undefined }
  limit: number
  /** Where SARIF goes, and what it says of this program. */
  sarif: SarifFile | undefined
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** How old is too old unless told otherwise; the descriptions of the flags say the same. */
export const DEFAULT_AGES: AuditAges = {
  sinceMs: DAY_MS,
  shelfAgeMs: 180 * DAY_MS,
  silentForMs: DAY_MS,
  keyAgeMs: 365 * DAY_MS,
  secretAgeMs: 5 * 365 * DAY_MS,
  skewMs: 5 * 60_000,
}

/**
 * Holds the registry, the placements, the keys and what gates saw against each other. Changes nothing.
 * @throws UsageError for a kind that the conditions rule out or a place where no file can be written,
 *   NotFoundError for an unknown installation or batch
 * @throws FindingsError when there is a finding, IncompleteError when there is none but something could not
 *   be checked; the audit is their result
 */
export async function auditDevices(
  workspace: Workspace,
  asked: AuditQuestion,
): Promise<DeviceAudit> {
  const { database, clock, log, signal } = workspace
  const { installation, batch, limit, sarif } = asked
  if (sarif !== undefined) await requireReportPlace(sarif.file)
  const rules = chooseRules(asked)
  if (installation !== undefined && !(await hasInstallation(database, installation)))
    throw unknownInstallation(installation)
  if (batch !== undefined && !(await hasBatch(database, batch)))
    throw new NotFoundError('batch-not-found', 'no device was made in this batch', {
      suggestions: ['cleverctl device list'],
    })
  const now = clock.now()
  const scope = { now, ages: withDefaults(asked.ages), installation, batch, limit }
  const audit: DeviceAudit = {
    findings: [],
    counts: {},
    notChecked: [],
    checkedAt: now.toISOString(),
  }
  let lost: UnreachableError | undefined
  for (const [done, rule] of rules.entries()) {
    signal.throwIfAborted()
    log.progress({ done, total: rules.length, unit: 'kinds' })
    // Each further attempt would take as long to fail.
    const failure = lost ?? (await look(rule))
    if (failure instanceof UnreachableError) lost = failure
    if (failure) audit.notChecked.push({ kind: rule.kind, reason: failure.message })
  }
  if (sarif !== undefined) await writeAuditSarif(audit, rules, sarif)
  return verdict(audit, lost !== undefined)

  /** Adds what a rule finds. @returns why it could not be looked at */
  async function look(rule: AuditRule): Promise<Error | undefined> {
    try {
      const { count, rows } = await rule.find(database, scope)
      audit.findings.push(...rows)
      audit.counts[rule.kind] = count
      if (rows.length < count)
        log.warn(`${rule.kind}: ${rows.length} of ${count} findings are listed (--limit)`)
      return undefined
    } catch (error) {
      if (error instanceof CancelledError || signal.aborted) throw error
      if (error instanceof ExpectedError || error instanceof StatementError) return error
      throw error
    }
  }
}

function withDefaults(ages: AuditQuestion['ages']): AuditAges {
  return {
    sinceMs: ages.sinceMs ?? DEFAULT_AGES.sinceMs,
    shelfAgeMs: ages.shelfAgeMs ?? DEFAULT_AGES.shelfAgeMs,
    silentForMs: ages.silentForMs ?? DEFAULT_AGES.silentForMs,
    keyAgeMs: ages.keyAgeMs ?? DEFAULT_AGES.keyAgeMs,
    secretAgeMs: ages.secretAgeMs ?? DEFAULT_AGES.secretAgeMs,
    skewMs: ages.skewMs ?? DEFAULT_AGES.skewMs,
  }
}

/** The rules of the kinds asked for; without kinds all that the conditions leave. */
function chooseRules({ kinds, installation, batch }: AuditQuestion): AuditRule[] {
  const given: Record<AuditFilter, string | undefined> = { installation, batch }
  const filters = (['installation', 'batch'] as const).filter((name) => given[name] !== undefined)
  const isRuledOut = (rule: AuditRule) => filters.some((name) => !rule.filters.includes(name))
  const chosen = AUDIT_RULES.filter(({ kind }) => kinds === undefined || kinds.includes(kind))
  const ruledOut = kinds === undefined ? undefined : chosen.find(isRuledOut)
  if (ruledOut === undefined) return chosen.filter((rule) => !isRuledOut(rule))
  const named = filters.map((name) => `--${name}`).join(' and ')
  throw new UsageError('kind-ruled-out', `${ruledOut.kind} cannot be narrowed down by ${named}`, {
    suggestions: [`cleverctl device audit --kind ${ruledOut.kind}`],
  })
}

function verdict(audit: DeviceAudit, isOutOfReach: boolean): DeviceAudit {
  const { findings, counts, notChecked } = audit
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0)
  const [first] = findings
  return verdictOn(audit, {
    found: first !== undefined && {
      code: 'devices-need-attention',
      words: counted(total, 'finding'),
      suggestions: [first.next],
    },
    unchecked: notChecked.length > 0 && {
      words: `${counted(notChecked.length, 'kind')} could not be checked`,
      isOutOfReach,
      suggestions: ['cleverctl doctor'],
    },
  })
}
