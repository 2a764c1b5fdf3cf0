import { stat } from 'node:fs/promises'
import limit from 'p-limit'
import {
  CancelledError,
  ExpectedError,
  FailureError,
  UnreachableError,
  UsageError,
  type PartialError,
} from '../errors.js'
import type { Fault } from '../fault.js'
import { isExposed } from '../file-system.js'
import type { Row } from '../rows/csv.js'
import { estimateRows, rejectsPath, requireDistinct, rowsRefused } from '../rows/file-import.js'
import { openRows, type RowFormat } from '../rows/open-rows.js'
import { RejectReport, type ReportedReject } from '../rows/reject-report.js'
import { Secret } from '../secret.js'
import { parseFingerprint } from '../ssh/host-key.js'
import type { Ways } from '../ssh/pin.js'
import type { Workspace } from '../workspace.js'
import { addRouter } from './add.js'
import type { RouterToAdd } from './to-add.js'
import { ROUTER_DRIVERS } from './types.js'

/** The columns of a list of routers; all stand in the header, and the last four may be empty. */
const ROUTER_COLUMNS = [
  'installation',
  'driver',
  'address',
  'password',
  'hostKey',
  'port',
  'username',
  'ssid',
  'wifiPassword',
] as const
const NEVER_EMPTY = 5

/** Routers at work at the same time: each is one connection, and most of its time is waiting. */
const CONCURRENCY = 32
const TEXT_EXCERPT = 80

/** How an import came out. */
export interface RouterImport {
  imported: number
  unchanged: number
  rejected: number
  /** The first hundred of them. */
  rejects: (ReportedReject & { installation: string | null })[]
  /** The file that lists all of them, without their passwords; null when there are none. */
  rejectsFile: string | null
  durationMs: number
}

interface Refused extends Fault {
  line: number
  installation: string | null
  raw: string
}

/** How a list of routers is taken in. */
export interface RouterImportOptions {
  /** A path, or `-` for stdin. */
  input: string
  /** Told by the input itself if absent. */
  format: RowFormat | undefined
  /** Where refused rows are listed; beside the input if absent. */
  rejects: string | undefined
  /** No router is contacted, and nothing is proven. */
  isOffline: boolean
}

/**
 * Records the routers of a CSV or NDJSON file that holds their passwords, as `addRouter` does, some
 * dozens at a time. Each is a transaction of its own: whatever interrupts the import, the same command
 * goes on.
 * @throws PartialError with the whole result when rows were refused, UsageError for an unusable input
 */
export async function importRouters(
  workspace: Workspace,
  options: RouterImportOptions,
  ways: Pick<Ways, 'environment'>,
): Promise<RouterImport> {
  const { clock, log, signal } = workspace
  const { input, format, isOffline } = options
  const startedAt = clock.now().getTime()
  await requirePrivate(input)
  const rejectsTo = rejectsPath({ ...options, isStrict: false, isDryRun: false }, 'router-import')
  requireDistinct([input, rejectsTo])
  const report = await RejectReport.open<RouterImport['rejects'][number]>(rejectsTo)
  const source = await openRows(input, { format, columns: ROUTER_COLUMNS, signal })
  const counts = { imported: 0, unchanged: 0, rejected: 0 }
  const atOnce = limit(CONCURRENCY)
  const take = async (row: Row): Promise<Refused | undefined> => {
    signal.throwIfAborted()
    const read = readRouterRow(row, isOffline)
    if ('fault' in read) return read.fault
    try {
      const { outcome } = await addRouter(workspace, read.router, { ...ways, approve: notAsked })
      counts[outcome === 'unchanged' ? 'unchanged' : 'imported'] += 1
      return undefined
    } catch (error) {
      return read.refuse(faultOf(error))
    }
  }
  try {
    if (source.unusedColumns.length > 0)
      log.warn(`columns not used: ${source.unusedColumns.join(', ')}`)
    for await (const rows of source.rows) {
      const refused = await Promise.all(rows.map((row) => atOnce(() => take(row))))
      const rejected = refused.filter((each) => each !== undefined)
      counts.rejected += rejected.length
      await report.add(rejected, ({ raw: _raw, ...told }) => told)
      const done = counts.imported + counts.unchanged + counts.rejected
      log.progress({ done, total: estimateRows(source, done), unit: 'routers' })
    }
    const result: RouterImport = {
      ...counts,
      rejects: report.first,
      rejectsFile: await report.publish(),
      durationMs: clock.now().getTime() - startedAt,
    }
    if (counts.rejected > 0) throw refusal(result, input)
    return result
  } finally {
    atOnce.clearQueue()
    source.close()
    await report.discard()
  }
}

function refusal(result: RouterImport, input: string): PartialError | UsageError {
  return rowsRefused(result, { input, isStrict: false, isDryRun: false })
}

async function requirePrivate(input: string): Promise<void> {
  if (input === '-') return
  const found = await stat(input, { bigint: true }).catch(() => undefined)
  if (found !== undefined && isExposed(found))
    throw new UsageError('exposed-file', `${input} holds passwords and is open to group or world`, {
      suggestions: [`chmod 600 ${input}`],
    })
}

/** Rows name their fingerprint, so nobody has to be asked. */
async function notAsked(): Promise<never> {
  throw new FailureError('missing-fingerprint', 'the row has no host key')
}

type ReadRow = { router: RouterToAdd; refuse: (fault: Fault) => Refused } | { fault: Refused }

/** The reject file gets no more of a row than its installation: the rest of it may be a secret. */
function readRouterRow({ line, values, fault }: Row, isOffline: boolean): ReadRow {
  if (values === undefined) return { fault: { line, installation: null, raw: '', ...fault } }
  const [installation = '', driverText = '', address = '', password = '', hostKey = ''] = values
  const [port = '', username = '', ssid = '', wifiPassword = ''] = values.slice(NEVER_EMPTY)
  const excerpt = installation.slice(0, TEXT_EXCERPT)
  const refuse = ({ code, reason }: Fault): Refused => ({
    line,
    installation: excerpt,
    raw: excerpt,
    code,
    reason,
  })
  const empty = ROUTER_COLUMNS.slice(0, NEVER_EMPTY).find((_each, index) => values[index] === '')
  if (empty !== undefined)
    return { fault: refuse({ code: 'missing-field', reason: `${empty} is empty` }) }
  const driver = ROUTER_DRIVERS.find((each) => each === driverText)
  if (driver === undefined) {
    const reason = `a driver is one of ${ROUTER_DRIVERS.join(', ')}`
    return { fault: refuse({ code: 'bad-driver', reason }) }
  }
  if ((ssid === '') !== (wifiPassword === '')) {
    const reason = 'ssid and wifiPassword go together'
    return { fault: refuse({ code: 'missing-field', reason }) }
  }
  const fingerprint = readFingerprint(hostKey)
  if (fingerprint === undefined)
    return {
      fault: refuse({ code: 'bad-fingerprint', reason: 'hostKey is no SHA256: fingerprint' }),
    }
  const router: RouterToAdd = {
    installation,
    driver,
    address,
    port: port === '' ? 22 : Number(port),
    username: username === '' ? 'root' : username,
    fingerprint,
    hostKeyType: undefined,
    jumps: [],
    password: new Secret(password),
    identity: undefined,
    wifi: ssid === '' ? undefined : { ssid, password: new Secret(wifiPassword) },
    isOffline,
    isReplacing: false,
  }
  return { router, refuse }
}

function readFingerprint(text: string): string | undefined {
  try {
    return parseFingerprint(text)
  } catch (error) {
    if (error instanceof UsageError) return undefined
    throw error
  }
}

/** What is wrong with one router goes into the list; what is wrong with everything ends the import. */
function faultOf(error: unknown): Fault {
  if (!(error instanceof ExpectedError) || error instanceof CancelledError) throw error
  if (error instanceof UnreachableError && !error.code.startsWith('ssh-')) throw error
  return { code: error.code, reason: error.message }
}
