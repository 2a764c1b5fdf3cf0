import type { Database } from '../../database/database.js'
import type { Log } from '../../workspace.js'
import { DATABASE_PARTS, readDatabases, type ReadDatabase } from './database.js'
import { probeServer, type Probe } from './probe.js'
import { ACCESS_RULES } from './rules.js'
import { partReader, readServer, type ReadParts } from './server.js'
import type {
  AccessFinding,
  AccessList,
  AccessRule,
  AuditParts,
  Found,
  NotChecked,
} from './types.js'

/** Everything that was read of a server. */
export interface Reading extends ReadParts {
  /** Its databases; why they are not known. */
  inside: readonly ReadDatabase[] | Error
  /** Undefined where nobody asked for them. */
  probes: readonly Probe[] | Error | undefined
}

/**
 * Reads a server and all its databases, and tries connections where asked.
 * @throws UnreachableError and RefusedError when there is no connection at all, CancelledError
 */
export async function readAll(
  database: Database,
  given: { log: Log; signal: AbortSignal; isProbing: boolean },
): Promise<Reading> {
  const parts = await readServer(database, given.signal)
  const inside =
    parts.databases instanceof Error
      ? parts.databases
      : await readDatabases(
          database,
          parts.databases.map(({ name }) => name),
          given,
        )
  const part = partReader(database, given.signal)
  const probes = given.isProbing
    ? await part(() => probeServer(database, parts, given.signal))
    : undefined
  return { ...parts, inside, probes }
}

/** A finding with what else its rule says. */
export type JudgedFinding = AccessFinding & Pick<Found, 'role' | 'mending'>

/** Asks every rule about a server, the gravest first; nothing is read any more. */
export function judge(
  host: string,
  reading: Reading,
  list: AccessList,
): { findings: AccessFinding[]; notChecked: NotChecked[] } {
  const { findings, notChecked } = askRules(ACCESS_RULES, host, reading, list)
  return { findings: findings.map(({ role, mending, ...finding }) => finding), notChecked }
}

/** The same for these rules, with all that they say. */
export function askRules(
  rules: readonly AccessRule[],
  host: string,
  reading: Reading,
  list: AccessList,
): { findings: JudgedFinding[]; notChecked: NotChecked[] } {
  const findings: JudgedFinding[] = []
  const notChecked: NotChecked[] = []
  for (const rule of rules) {
    if (reading.probes === undefined && rule.needs.includes('probes')) continue
    for (const parts of partsFor(rule, reading)) {
      const missing = whyMissing(rule, parts)
      if (missing === undefined) findings.push(...findingsOf(rule, host, parts, list))
      const reason = missing ?? rule.whyIncomplete?.(parts as AuditParts)
      if (reason !== undefined) notChecked.push({ rule: rule.id, host, reason })
    }
  }
  return { findings, notChecked }
}

type Some = Partial<ReadParts<AuditParts>>

/** What a rule is asked about: the server once, or each of its databases. */
function partsFor(rule: AccessRule, { inside, ...server }: Reading): Some[] {
  const parts = server as Some
  if (!rule.needs.some((name) => DATABASE_PARTS.has(name))) return [parts]
  if (!(inside instanceof Error)) return inside.map((each) => ({ ...parts, ...each }))
  return [{ ...parts, ...Object.fromEntries(rule.needs.map((name) => [name, inside])) }]
}

/** Why a rule cannot be asked: a part that it needs was not read. */
function whyMissing(rule: AccessRule, parts: Some): string | undefined {
  for (const name of rule.needs) {
    const part = parts[name]
    if (!(part instanceof Error)) continue
    const place = typeof parts.database === 'string' ? ` in ${parts.database}` : ''
    return `cannot read ${name}${place}: ${part.message}`
  }
  return undefined
}

function findingsOf(
  rule: AccessRule,
  host: string,
  parts: Some,
  list: AccessList,
): JudgedFinding[] {
  // A rule looks at the parts that it needs alone, and those were read.
  return rule.find(parts as AuditParts, list).map((found) => ({
    rule: rule.id,
    severity: rule.severity,
    host,
    who: found.role === null ? null : (list.holderOf(found.role)?.handle ?? 'nobody'),
    ...found,
  }))
}
