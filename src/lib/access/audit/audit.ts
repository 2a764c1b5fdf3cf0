import { counted } from '../../counted.js'
import { verdictOn } from '../../findings/verdict.js'
import { CancelledError, ExpectedError, UnreachableError } from '../../errors.js'
import type { Database } from '../../database/database.js'
import { requireReportPlace, type SarifFile } from '../../findings/sarif-file.js'
import type { Log, Workspace } from '../../workspace.js'
import { applyAcceptances } from '../acceptance/apply.js'
import { selectAcceptances } from '../acceptance/store.js'
import { namedServers, serverNames, type AskedServers } from '../named-servers.js'
import { currentList } from './current-list.js'
import { judge, readAll, type Reading } from './judge.js'
import { writeAccessJunit } from './junit.js'
import { writeAccessSarif } from './sarif.js'
import { recordAudit } from './record.js'
import { EVERY_RULE, SEVERITIES, type AccessAudit, type Severity } from './types.js'

/** What to audit. */
export interface AccessQuestion {
  /** None: the server of the cleverctl database itself. */
  servers: AskedServers
  environment: NodeJS.ProcessEnv
  /** The mildest severity that makes the command end with 8. */
  failOn: Severity
  /** Whether connections are tried, beside what the server says. */
  isProbing: boolean
  /** Where SARIF goes, and what it says of this program. */
  sarif: SarifFile | undefined
  /** Where JUnit's XML goes. */
  junit: string | undefined
}

/**
 * Measures database servers against the list of staff and service accounts. Changes nothing on them; what it
 * found is kept in the cleverctl database.
 * @throws UsageError for a URL that is none or holds a password, or a place where no file can be written
 * @throws FindingsError when there is a finding as bad as `failOn`; else IncompleteError when something
 *   could not be checked; the audit is their result
 */
export async function auditAccess(
  workspace: Workspace,
  asked: AccessQuestion,
): Promise<AccessAudit> {
  const { database, log, signal } = workspace
  const { environment, failOn, isProbing, sarif, junit } = asked
  for (const file of [sarif?.file, junit]) if (file !== undefined) await requireReportPlace(file)
  const names = await serverNames(workspace, asked.servers)
  const servers = await namedServers(workspace, names, environment)
  const list = await currentList(workspace)
  const { now } = list
  const acceptances = await selectAcceptances(database)
  const audit: AccessAudit = {
    findings: [],
    accepted: [],
    notChecked: [],
    hosts: [],
    checkedAt: now.toISOString(),
  }
  let isOutOfReach = false
  for (const [done, { host, open, isOwn }] of servers.entries()) {
    log.progress({ done, total: servers.length, unit: 'servers' })
    const parts = await readingOf(open, isOwn, { log, signal, isProbing })
    if (parts instanceof Error) {
      isOutOfReach ||= parts instanceof UnreachableError
      audit.notChecked.push({ rule: EVERY_RULE, host, reason: parts.message })
    } else {
      if (!(parts.server instanceof Error)) {
        const { isStandby, version } = parts.server
        audit.hosts.push({ host, isStandby, version })
      }
      const judged = judge(host, parts, list)
      const { findings, accepted } = applyAcceptances(judged.findings, acceptances, now)
      audit.findings.push(...findings)
      audit.accepted.push(...accepted)
      audit.notChecked.push(...judged.notChecked)
    }
  }
  audit.findings.sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity))
  await recordAudit(workspace, audit, { isProbing })
  if (sarif !== undefined) await writeAccessSarif(audit, sarif)
  if (junit !== undefined) await writeAccessJunit(audit, junit)
  return verdict(audit, failOn, isOutOfReach)
}

/** Everything of a server, or why there is no connection to it. */
async function readingOf(
  open: () => Promise<Database>,
  isOwn: boolean,
  given: { log: Log; signal: AbortSignal; isProbing: boolean },
): Promise<Reading | ExpectedError> {
  let database: Database | undefined
  try {
    database = await open()
    return await readAll(database, given)
  } catch (error) {
    if (error instanceof CancelledError || given.signal.aborted) throw error
    if (error instanceof ExpectedError) return error
    throw error
  } finally {
    if (!isOwn) await database?.close()
  }
}

function verdict(audit: AccessAudit, failOn: Severity, isOutOfReach: boolean): AccessAudit {
  const { findings, notChecked } = audit
  const limit = SEVERITIES.indexOf(failOn)
  const grave = findings.filter(({ severity }) => SEVERITIES.indexOf(severity) <= limit)
  return verdictOn(audit, {
    found: grave.length > 0 && {
      code: 'access-needs-attention',
      words: counted(grave.length, 'finding'),
    },
    unchecked: notChecked.length > 0 && {
      words: `${counted(notChecked.length, 'check')} could not be carried out`,
      isOutOfReach,
      suggestions: ['docs/access.md names the grants that an auditor needs'],
    },
  })
}
