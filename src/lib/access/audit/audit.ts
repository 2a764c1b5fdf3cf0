import pLimit from 'p-limit'
import { counted } from '../../counted.js'
import { verdictOn } from '../../findings/verdict.js'
import { CancelledError, ExpectedError, UnreachableError } from '../../errors.js'
import type { Database } from '../../database/database.js'
import { requireReportPlace, type SarifFile } from '../../findings/sarif-file.js'
import type { Log, Workspace } from '../../workspace.js'
import { applyAcceptances } from '../acceptance/apply.js'
import { selectAcceptances, type AcceptanceRow } from '../acceptance/store.js'
import { namedServers, serverNames, type AskedServers, type NamedServer } from '../named-servers.js'
import { currentList } from './current-list.js'
import { judge, readAll, type Reading } from './judge.js'
import { writeAccessJunit } from './junit.js'
import { writeAccessSarif } from './sarif.js'
import { recordAudit } from './record.js'
import {
  EVERY_RULE,
  SEVERITIES,
  type AccessAudit,
  type AccessList,
  type Severity,
} from './types.js'

/** So many servers are looked at a time: what one says of its databases is kept until it is judged. */
const AT_ONCE = 8

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
  const given = { list, acceptances: await selectAcceptances(database), isProbing, log, signal }
  const limit = pLimit(AT_ONCE)
  let done = 0
  const audited = await Promise.all(
    servers.map((server) =>
      limit(async () => {
        const found = await auditServer(server, given)
        log.progress({ done: (done += 1), total: servers.length, unit: 'servers' })
        return found
      }),
    ),
  )
  const audit: AccessAudit = {
    findings: audited.flatMap(({ findings }) => findings),
    accepted: audited.flatMap(({ accepted }) => accepted),
    notChecked: audited.flatMap(({ notChecked }) => notChecked),
    hosts: audited.flatMap(({ hosts }) => hosts),
    checkedAt: list.now.toISOString(),
  }
  audit.findings.sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity))
  await recordAudit(workspace, audit, { isProbing })
  if (sarif !== undefined) await writeAccessSarif(audit, sarif)
  if (junit !== undefined) await writeAccessJunit(audit, junit)
  const isOutOfReach = audited.some((each) => each.isOutOfReach)
  return verdict(audit, failOn, isOutOfReach)
}

/** What an audit says of one server. */
interface ServerAudit extends Omit<AccessAudit, 'checkedAt'> {
  isOutOfReach: boolean
}

async function auditServer(
  { host, open, isOwn }: NamedServer,
  given: {
    list: AccessList
    acceptances: readonly AcceptanceRow[]
    isProbing: boolean
    log: Log
    signal: AbortSignal
  },
): Promise<ServerAudit> {
  const { list, acceptances } = given
  const parts = await readingOf(open, isOwn, given)
  if (parts instanceof Error) {
    const notChecked = [{ rule: EVERY_RULE, host, reason: parts.message }]
    const isOutOfReach = parts instanceof UnreachableError
    return { findings: [], accepted: [], notChecked, hosts: [], isOutOfReach }
  }
  const { findings, notChecked } = judge(host, parts, list)
  const { server } = parts
  return {
    ...applyAcceptances(findings, acceptances, list.now),
    notChecked,
    hosts:
      server instanceof Error
        ? []
        : [{ host, isStandby: server.isStandby, version: server.version }],
    isOutOfReach: false,
  }
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
