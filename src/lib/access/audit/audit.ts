import { ExitCode, FindingsError, IncompleteError, UnreachableError } from '../../errors.js'
import { CancelledError, ExpectedError } from '../../errors.js'
import type { Database } from '../../database/database.js'
import { requireSarifPlace } from '../../findings/sarif-file.js'
import { selectAccounts } from '../../staff/store.js'
import { accountState } from '../../staff/types.js'
import type { Workspace } from '../../workspace.js'
import { ACCESS_RULES } from './rules.js'
import { writeAccessSarif } from './sarif.js'
import { readServer, type ReadParts, type ServerParts } from './server.js'
import { openServer } from './target.js'
import {
  SEVERITIES,
  type AccessAudit,
  type AccessFinding,
  type AccessList,
  type AccessRule,
  type Severity,
} from './types.js'

/** What to audit. */
export interface AccessQuestion {
  /** URLs of servers, without passwords; none: the server of the cleverctl database itself. */
  dsns: readonly string[]
  environment: NodeJS.ProcessEnv
  /** The mildest severity that makes the command end with 8. */
  failOn: Severity
  /** Where SARIF goes, and what it says of this program. */
  sarif: { file: string; folder: string; version: string } | undefined
}

/** What a server that could not be read at all is listed with, in the place of a rule. */
const EVERY_RULE = 'all'

/**
 * Measures database servers against the list of staff and service accounts. Changes nothing anywhere.
 * @throws UsageError for a URL that is none or holds a password, or a place where no file can be written
 * @throws FindingsError when there is a finding as bad as `failOn`; else IncompleteError when something
 *   could not be checked; the audit is their result
 */
export async function auditAccess(
  workspace: Workspace,
  asked: AccessQuestion,
): Promise<AccessAudit> {
  const { database, clock, log, random, signal } = workspace
  const { dsns, environment, failOn, sarif } = asked
  if (sarif !== undefined) await requireSarifPlace(sarif.file)
  const servers: { host: string; open: () => Promise<Database>; isOwn: boolean }[] =
    dsns.length === 0
      ? [{ host: database.target.description, open: async () => database, isOwn: true }]
      : await Promise.all(dsns.map((dsn) => openServer(dsn, { environment, log, signal })))
  const now = clock.now()
  const list = listOf(await selectAccounts(database), now)
  const audit: AccessAudit = {
    findings: [],
    notChecked: [],
    hosts: [],
    checkedAt: now.toISOString(),
  }
  let isOutOfReach = false
  for (const [done, { host, open, isOwn }] of servers.entries()) {
    log.progress({ done, total: servers.length, unit: 'servers' })
    const parts = await partsOf(open, isOwn, signal)
    if (parts instanceof Error) {
      isOutOfReach ||= parts instanceof UnreachableError
      audit.notChecked.push({ rule: EVERY_RULE, host, reason: parts.message })
    } else judge(audit, host, parts, list)
  }
  audit.findings.sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity))
  if (sarif !== undefined) await writeAccessSarif(audit, { ...sarif, random })
  return verdictOn(audit, failOn, isOutOfReach)
}

/** The parts of a server, or why there is no connection to it. */
async function partsOf(
  open: () => Promise<Database>,
  isOwn: boolean,
  signal: AbortSignal,
): Promise<ReadParts | ExpectedError> {
  let database: Database | undefined
  try {
    database = await open()
    return await readServer(database, signal)
  } catch (error) {
    if (error instanceof CancelledError || signal.aborted) throw error
    if (error instanceof ExpectedError) return error
    throw error
  } finally {
    if (!isOwn) await database?.close()
  }
}

function judge(audit: AccessAudit, host: string, parts: ReadParts, list: AccessList): void {
  if (!(parts.server instanceof Error)) {
    const { isStandby, version } = parts.server
    audit.hosts.push({ host, isStandby, version })
  }
  for (const rule of ACCESS_RULES) {
    const missing = rule.needs.find((name) => parts[name] instanceof Error)
    if (missing === undefined) audit.findings.push(...findingsOf(rule, host, parts, list))
    else {
      const { message } = parts[missing] as Error
      audit.notChecked.push({ rule: rule.id, host, reason: `cannot read ${missing}: ${message}` })
    }
  }
}

function findingsOf(
  rule: AccessRule,
  host: string,
  parts: ReadParts,
  list: AccessList,
): AccessFinding[] {
  // A rule looks at the parts that it needs alone, and those were read.
  return rule.find(parts as ServerParts, list).map(({ role, ...found }) => ({
    rule: rule.id,
    severity: rule.severity,
    host,
    who: role === null ? null : (list.holderOf(role)?.handle ?? 'nobody'),
    ...found,
  }))
}

function listOf(accounts: AccessList['accounts'], now: Date): AccessList {
  const holders = new Map(
    accounts.flatMap((account) => account.roleNames.map((name) => [name, account])),
  )
  return {
    accounts,
    now,
    holderOf: (role) => holders.get(role),
    isValid: (role) => {
      const holder = holders.get(role)
      return holder !== undefined && accountState(holder, now) === 'valid'
    },
  }
}

function verdictOn(audit: AccessAudit, failOn: Severity, isOutOfReach: boolean): AccessAudit {
  const { findings, notChecked } = audit
  const grave = findings.filter(
    ({ severity }) => SEVERITIES.indexOf(severity) <= SEVERITIES.indexOf(failOn),
  )
  const checks = notChecked.length === 1 ? '1 check' : `${notChecked.length} checks`
  const unchecked = `${checks} could not be carried out`
  if (grave.length > 0) {
    const found = grave.length === 1 ? '1 finding' : `${grave.length} findings`
    const message = notChecked.length === 0 ? found : `${found}; ${unchecked}`
    throw new FindingsError('access-needs-attention', message, { result: audit })
  }
  if (notChecked.length === 0) return audit
  const exitCode = isOutOfReach ? ExitCode.unreachable : ExitCode.failure
  throw new IncompleteError(exitCode, unchecked, {
    result: audit,
    suggestions: ['docs/access.md names the grants that an auditor needs'],
  })
}
