import { counted } from '../counted.js'
import { lastWords } from '../host/say.js'
import type { Log } from '../workspace.js'
import { compareDigests, digestStatements, readDigests, type TableDigest } from './digests.js'
import type { Scratch } from './scratch.js'
import type { DrillCheck } from './types.js'

type Finding = Omit<DrillCheck, 'name' | 'durationMs'>

/** pg_amcheck and pg_checksums end with other codes when they could not look (their manual pages). */
const AMCHECK_FOUND = 2
const CHECKSUMS_FOUND = 1
const NO_CHECKSUMS = /data checksums are not enabled/
const DATABASES = `select datname from pg_database where datallowconn and not datistemplate order by datname`

/** With these words PostgreSQL ends a recovery for want of WAL, or of anything else in the copy. */
const CANNOT_RECOVER = [
  /recovery ended before configured recovery target was reached/,
  /WAL ends before (?:end of online backup|consistent recovery point)/,
  /could not (?:locate|find|read) .*(?:checkpoint|redo)/,
  /requested (?:timeline|recovery stop point)/,
  /invalid .*(?:checkpoint|page|record)/,
  /could not (?:open|access|read) file ".*": No such file/,
]

/** The checks of a drill, in the order in which they are carried out. */
export class Checks {
  readonly done: DrillCheck[] = []
  readonly #log: Pick<Log, 'info'>
  readonly #whose: string

  /** @param whose stands before the names in the log, where several hosts are looked at */
  constructor(log: Pick<Log, 'info'>, whose = '') {
    this.#log = log
    this.#whose = whose
  }

  /** Carries out a check, and says how long it took. */
  async look(name: string, work: () => Promise<Finding>): Promise<DrillCheck> {
    this.#log.info(`${this.#whose}${name} …`)
    const from = performance.now()
    const found = await work()
    const check = { name, ...found, durationMs: Math.round(performance.now() - from) }
    this.done.push(check)
    return check
  }
}

/** Whether every table on the scratch server holds what was counted, and no table is there that was not. */
export async function checkRows(
  scratch: Scratch,
  programs: string,
  expected: readonly TableDigest[],
): Promise<Finding> {
  const names = (await scratch.sql(programs, 'postgres', DATABASES)).split('\n').filter(Boolean)
  const found: TableDigest[] = []
  for (const name of names) {
    const lines = (await scratch.sql(programs, name, digestStatements())).split('\n')
    found.push(...readDigests(lines.filter(Boolean)))
  }
  const faults = compareDigests(expected, found)
  const rows = found.reduce((sum, each) => sum + each.rows, 0)
  const [first] = faults
  if (first === undefined)
    return {
      state: 'ok',
      message: `${counted(rows, 'row')} of ${counted(found.length, 'table')}, as was counted`,
    }
  const others = faults.length > 1 ? ` (and ${counted(faults.length - 1, 'more table')})` : ''
  return { state: 'failed', message: first + others }
}

/** Reads every table and index by pg_amcheck. The server must take writes: amcheck is installed where it is missing. */
export async function checkStructure(scratch: Scratch, programs: string): Promise<Finding> {
  const { place } = scratch
  const result = await scratch.run([
    `${programs}/pg_amcheck`,
    ...['--all', '--install-missing', '--heapallindexed', '--jobs=2', '--username=postgres'],
    `--host=${place}/socket`,
  ])
  if (result.code === 0)
    return { state: 'ok', message: 'pg_amcheck finds nothing in tables and indexes' }
  if (result.code === AMCHECK_FOUND) {
    const [first = ''] = result.stdout.toString('utf8').split('\n')
    return { state: 'failed', message: first.slice(0, 300) }
  }
  return { state: 'not-checked', message: `pg_amcheck: ${lastWords(result)}` }
}

/** Reads every page of a stopped server by pg_checksums. */
export async function checkPages(scratch: Scratch, programs: string): Promise<Finding> {
  const result = await scratch.run([
    `${programs}/pg_checksums`,
    '--check',
    `--pgdata=${scratch.place}/data`,
  ])
  const said = result.stderr.toString('utf8')
  if (result.code === 0) return { state: 'ok', message: 'the checksum of every page is right' }
  if (NO_CHECKSUMS.test(said))
    return { state: 'absent', message: 'the cluster has no page checksums' }
  const [, count] = /^Bad checksums: +(\d+)$/m.exec(result.stdout.toString('utf8')) ?? []
  if (result.code === CHECKSUMS_FOUND && count !== undefined)
    return { state: 'failed', message: `${count} pages have wrong checksums` }
  return { state: 'not-checked', message: `pg_checksums: ${lastWords(result)}` }
}

/**
 * What a start of a scratch server says of the copy.
 * @param words the last ones of a server that ended; undefined where it came as far as it was to
 */
export function judgeStart(words: string | undefined, good: string): Finding {
  if (words === undefined) return { state: 'ok', message: good }
  const isDamage = CANNOT_RECOVER.some((pattern) => pattern.test(words))
  return { state: isDamage ? 'failed' : 'not-checked', message: `PostgreSQL ended: ${words}` }
}
