import { equal } from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../../src/lib/database/database.js'
import type { CliOptions, CliResult } from './cli.js'

/** A step of a command at which it stands still, so that it can be killed exactly there. */
export interface Halt {
  /** Resolves once something stands there. */
  reached(): Promise<void>
  /** Lets it go on. */
  release(): Promise<void>
}

const EVERY_MS = 50
/** Some lock of the tests alone. */
const ROW_LOCK = 4711

/** Lets whatever wants what a statement locks stand still. */
export async function haltAt(database: Database, lock: string): Promise<Halt> {
  let release = () => {}
  const released = new Promise<void>((resolve) => (release = resolve))
  let done: Promise<unknown> = Promise.resolve()
  await new Promise<void>((resolve, reject) => {
    done = database.transaction(async (transaction) => {
      await transaction.query(lock)
      resolve()
      await released
    })
    done.catch(reject)
  })
  return {
    reached: () => until(database, `wait_event_type = 'Lock'`),
    release: async () => {
      release()
      await done
    },
  }
}

/** Lets the next entry of the trail stand still before it is written. */
export async function haltTrail(database: Database): Promise<Halt> {
  return haltAt(database, 'select from cleverctl.trail_head for update')
}

/** The next entry of the trail after a command has come to `first`. */
export function haltTrailAfter(first: Halt, database: Database): Halt {
  let second: Halt | undefined
  return {
    reached: async () => {
      await first.reached()
      second = await haltTrail(database)
      await first.release()
      await second.reached()
    },
    release: async () => {
      await second?.release()
    },
  }
}

/** Lets the ledger of sessions stand still before it gets so many more rows. */
export async function haltLedger(database: Database, rows: number): Promise<Halt> {
  const { rows: heads } = await database.query<{ seq: string }>(
    'select seq from cleverctl.session_head',
  )
  const row = Number(heads[0]?.seq) + rows
  await database.query(`create or replace function public.halt() returns trigger language plpgsql
    as $$ begin perform pg_advisory_xact_lock(${ROW_LOCK}); return new; end $$`)
  await database.query(`create or replace trigger halt before insert on cleverctl.session
    for each row when (new.seq = ${row}) execute function public.halt()`)
  return haltAt(database, `select pg_advisory_xact_lock(${ROW_LOCK})`)
}

/** Kills a command where it stands still, and lets what it began elsewhere go on. @param run runs it */
export async function killAt(
  step: Halt,
  run: (more: Pick<CliOptions, 'onStart'>) => Promise<CliResult>,
): Promise<void> {
  const { signal, stdout, stderr } = await run({
    onStart: (child) =>
      void step.reached().then(
        () => child.kill('SIGKILL'),
        () => undefined,
      ),
  })
  equal(signal, 'SIGKILL', `it ended before: ${stdout}${stderr}`)
  await step.release()
}

async function until(database: Database, condition: string): Promise<void> {
  const question = `select 1 from pg_stat_activity where datname = current_database() and ${condition}`
  while ((await database.query(question)).rows.length === 0) await sleep(EVERY_MS)
}
