import type { PoolClient } from 'pg'
import { isSqlState, SqlState } from '../../database/sqlstate.js'
import { ConflictError, RefusedError } from '../../errors.js'
import { monthStart } from '../../months.js'
import { appendTrail, type TrailEntry } from '../../trail/append.js'
import type { Workspace } from '../../workspace.js'
import { ensurePartition } from '../reading-store.js'
import { keepFrom, planMonth } from './plan.js'
import { detachMonth, dropMonth, selectMonths, selectReadingTable } from './store.js'
import type { MonthAhead, MonthTable, RetainedMonth, Retention } from './types.js'

const LOCK = `hashtextextended('cleverctl.gate-retention', 0)`
/** A detachment waits so long for the transactions that read or write readings at that moment. */
const PATIENCE = '60s'
/** Within this time the server sees that the command was killed, and stops waiting in its name. */
const ALIVE_CHECK = '1s'

/** What is asked of {@link retainReadings}. */
export interface RetentionOptions {
  /** Whole months before the present one; undefined only looks. */
  keepMonths: number | undefined
  /** Drop what goes, and what was detached before and is as old; for good. */
  drop: boolean
  /** Do it; else say what would be done. */
  apply: boolean
}

/**
 * Shows the months of readings and takes the old ones out, the oldest first, while gates go on. Each month
 * is detached by itself, with an intent in the trail before and an outcome after; a drop and its entry
 * are one transaction. Interrupted anywhere, it is finished by the same command.
 * @throws UsageError for less than gates take in, RefusedError for a role that does not own the table,
 * ConflictError when another one is at work, when a default partition is in the way, or when a transaction
 * uses the readings for longer than a minute
 */
export async function retainReadings(
  workspace: Workspace,
  options: RetentionOptions,
): Promise<Retention> {
  const { database, clock } = workspace
  const now = clock.now()
  const from = options.keepMonths === undefined ? undefined : keepFrom(now, options.keepMonths)
  const about = { keepFrom: from?.toISOString() ?? null, applied: options.apply }
  const plan = async () =>
    (await selectMonths(database)).map((table): RetainedMonth => {
      const action = planMonth(table, { keepFrom: from, drop: options.drop })
      return { ...table, action, outcome: action === 'keep' ? 'kept' : 'planned' }
    })
  if (!options.apply) {
    const months = await plan()
    return { ...about, months, ahead: lookAhead(now, months) }
  }
  await checkReadingTable(workspace)
  return database.connection(async (client) => {
    await lock(client)
    try {
      const months = await plan()
      const ahead = await makeAhead(workspace, now, months)
      const done: RetainedMonth[] = []
      for (const month of months) done.push(await carryOut(workspace, client, month))
      return { ...about, months: done, ahead }
    } finally {
      await unlock(client)
    }
  })
}

async function checkReadingTable({ database }: Workspace): Promise<void> {
  const { owner, isMine, defaultPartition } = await selectReadingTable(database)
  if (!isMine) {
    throw new RefusedError(
      'privilege-missing',
      `only the owner of the database, ${owner}, may take readings out`,
      { suggestions: [`log in as ${owner}, or as a member of that role`] },
    )
  }
  if (defaultPartition === null) return
  throw new ConflictError(
    'default-partition',
    `${defaultPartition} is a default partition, beside which nothing can be detached while gates write`,
    {
      suggestions: [
        `move its rows, then as ${owner}: alter table cleverctl.reading detach partition ${defaultPartition}`,
      ],
    },
  )
}

async function lock(client: PoolClient): Promise<void> {
  const { rows } = await client.query<{ got: boolean }>(
    `select pg_try_advisory_lock(${LOCK}) as got`,
  )
  if (rows[0]?.got !== true) {
    throw new ConflictError('retention-running', 'another gate retention is at work', {
      suggestions: ['wait for it, then: cleverctl gate retention'],
    })
  }
  await client.query(
    `set lock_timeout = '${PATIENCE}'; set client_connection_check_interval = '${ALIVE_CHECK}'`,
  )
}

async function unlock(client: PoolClient): Promise<void> {
  const statement = `select pg_advisory_unlock(${LOCK});
    reset lock_timeout; reset client_connection_check_interval`
  await client.query(statement).catch(() => undefined)
}

async function carryOut(
  workspace: Workspace,
  client: PoolClient,
  month: RetainedMonth,
): Promise<RetainedMonth> {
  workspace.signal.throwIfAborted()
  if (month.action === 'keep') return month
  if (month.state !== 'detached') await detach(workspace, client, month)
  if (month.action === 'detach') return { ...month, state: 'detached', outcome: 'detached' }
  await workspace.database.transaction(async (transaction) => {
    await dropMonth(transaction, month)
    await appendTrail(transaction, workspace.actor, entry('gate.drop-readings', month))
  })
  workspace.log.info(`${month.month} is dropped`)
  return { ...month, state: 'detached', outcome: 'dropped' }
}

async function detach(
  { database, actor, log }: Workspace,
  client: PoolClient,
  month: MonthTable,
): Promise<void> {
  const record = (phase: 'intent' | 'outcome') =>
    database.transaction((transaction) =>
      appendTrail(transaction, actor, { ...entry('gate.detach-readings', month), phase }),
    )
  await record('intent')
  try {
    await detachMonth(client, month)
  } catch (error) {
    if (!isSqlState(error, SqlState.LOCK_NOT_AVAILABLE)) throw error
    throw new ConflictError(
      'readings-in-use',
      `${month.month} is not detached yet: a transaction has used the readings for longer than ${PATIENCE}`,
      {
        suggestions: [
          'give the command again when it has ended: it goes on where it stopped',
          'which one it is: select pid, usename, xact_start, query from pg_stat_activity order by xact_start',
        ],
      },
    )
  }
  await record('outcome')
  log.info(`${month.month} is detached`)
}

function entry(action: string, { month, table, rows, bytes }: MonthTable): TrailEntry {
  return { action, subject: month, details: { table, estimatedRows: rows, bytes } }
}

/** A gate needs the next month's table when that month begins, and looks after it two weeks ahead. */
function lookAhead(now: Date, months: readonly MonthTable[]): MonthAhead[] {
  return [monthStart(now), monthStart(now, 1)].map((start) => {
    const month = start.toISOString().slice(0, 'YYYY-MM'.length)
    const isThere = months.some((each) => each.month === month && each.state === 'attached')
    return { month, outcome: isThere ? 'present' : 'missing' }
  })
}

async function makeAhead(
  { database }: Workspace,
  now: Date,
  months: readonly MonthTable[],
): Promise<MonthAhead[]> {
  const ahead = lookAhead(now, months)
  for (const each of ahead) {
    if (each.outcome === 'present') continue
    await ensurePartition(database, new Date(`${each.month}-01T00:00:00Z`))
    each.outcome = 'made'
  }
  return ahead
}
