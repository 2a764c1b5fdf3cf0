import { deepEqual, equal, match, rejects } from 'node:assert/strict'
import {
  appendFileSync,
  copyFileSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { followSessions } from '../../src/lib/access/sessions/follow.js'
import { BATCH } from '../../src/lib/access/sessions/ledger/recorder.js'
import { verifyLedger } from '../../src/lib/access/sessions/ledger/verify.js'
import { keepReadings } from '../../src/lib/access/sessions/reading/store.js'
import { findSessions, type SessionsQuestion } from '../../src/lib/access/sessions/sessions.js'
import type { SessionsFound } from '../../src/lib/access/sessions/types.js'
import { ConflictError, IncompleteError, UnreachableError } from '../../src/lib/errors.js'
import type { Workspace } from '../../src/lib/workspace.js'
import { freshDatabase, testWorkspace, type FreshDatabase } from '../support/database.js'
import { haltLedger } from '../support/halt.js'
import { sessionsQuestion, visit, visits } from '../support/session-log.js'

/** More than one transaction takes. */
const MANY = BATCH + 500

describe('a log that is recorded again and again', () => {
  let fresh: FreshDatabase
  let workspace: Workspace
  let folder: string
  let log: string
  let rotated: string

  const session = (pid: number) => visit({ pid, user: 'ana', application: 'psql' })
  const record = async (more: Partial<SessionsQuestion> = {}) => {
    const asked = sessionsQuestion({ logs: [log], isRecording: true, ...more })
    const found = await findSessions(workspace, asked).catch((error: unknown) => {
      if (!(error instanceof IncompleteError)) throw error
      return error.result as SessionsFound
    })
    const { total, recorded, notRead } = found
    return { total, recorded, reasons: notRead.map(({ reason }) => reason) }
  }
  const whole = (count: number) => ({ total: count, recorded: count, reasons: [] })
  /** How many sessions the ledger has, and how many rows about them. */
  const kept = async () => {
    const { total } = await findSessions(workspace, sessionsQuestion({}))
    return [total, (await verifyLedger(workspace)).rows]
  }

  beforeEach(async () => {
    fresh = await freshDatabase()
    workspace = testWorkspace(fresh.database)
    folder = mkdtempSync(join(tmpdir(), 'cctl-incremental-'))
    log = join(folder, 'pg.json')
    rotated = join(folder, 'pg.json.1')
  })
  afterEach(async () => {
    await fresh.drop()
    rmSync(folder, { recursive: true, force: true })
  })

  it('is not remembered while no record was found in it', async () => {
    const text = [
      '2026-06-01 12:00:01.100 UTC [7] LOG:  connection received: host=10.0.0.1 port=5',
      '2026-06-01 12:00:01.200 UTC [7] FATAL:  password authentication failed for user "ana"',
    ]
    log = join(folder, 'pg.log')
    writeFileSync(log, `${text.join('\n')}\n`)
    const misread = { total: 0, recorded: 0, reasons: ['no record of PostgreSQL is in it'] }
    deepEqual(await record({ prefix: '%p %m ' }), misread)
    // One that was read as it should be does not vouch for it.
    writeFileSync(join(folder, 'other.json'), session(1))
    const logs = [log, join(folder, 'other.json')]
    deepEqual(await record({ logs, prefix: '%p %m ' }), whole(1))
    deepEqual(await record({ logs, prefix: '%m [%p] ' }), whole(1))
    deepEqual(await record({ logs, prefix: '%m [%p] ' }), whole(0))
    deepEqual(await kept(), [2, 2])
  })

  it('is read on from where it stopped, in the middle of a line too', async () => {
    const text = session(1) + session(2)
    const half = text.length - 100
    writeFileSync(log, text.slice(0, half))
    deepEqual(await record(), whole(2))
    deepEqual(await record(), whole(0))
    appendFileSync(log, text.slice(half) + session(3))
    deepEqual(await record(), whole(2))
    deepEqual(await kept(), [3, 4])
    deepEqual(await record({ isAnew: true }), { total: 3, recorded: 0, reasons: [] })
    deepEqual(await record(), whole(0))
  })

  it('is known when it is renamed and packed, and what came in between is read', async () => {
    const text = session(2)
    writeFileSync(log, session(1) + text.slice(0, 300))
    deepEqual(await record(), whole(1))
    renameSync(log, rotated)
    appendFileSync(rotated, text.slice(300))
    writeFileSync(log, session(3))
    deepEqual(await record(), whole(2))
    writeFileSync(`${rotated}.gz`, gzipSync(readFileSync(rotated)))
    rmSync(rotated)
    deepEqual(await record({ logs: [log, `${rotated}.gz`] }), whole(0))
    deepEqual(await kept(), [3, 3])
  })

  it('goes on when it was packed before it was read to its end', async () => {
    writeFileSync(log, session(1))
    deepEqual(await record(), whole(1))
    writeFileSync(`${rotated}.gz`, gzipSync(session(1) + session(2)))
    writeFileSync(log, session(3))
    deepEqual(await record(), whole(2))
    deepEqual(await kept(), [3, 3])
  })

  it('begins anew when it was copied and emptied, and the copy is read to its end', async () => {
    writeFileSync(log, session(1))
    deepEqual(await record(), whole(1))
    appendFileSync(log, session(2))
    copyFileSync(log, rotated)
    truncateSync(log)
    deepEqual(await record(), whole(1))
    appendFileSync(log, session(3))
    deepEqual(await record(), whole(1))
    deepEqual(await kept(), [3, 3])
  })

  it('says once that its end was cut off, or that it is gone', async () => {
    writeFileSync(log, session(1) + session(2))
    deepEqual(await record(), whole(2))
    truncateSync(log, session(1).length)
    const cut = await record()
    equal(cut.recorded, 0)
    match(cut.reasons.join(), /has \d+ bytes, and had \d+/)
    appendFileSync(log, session(3))
    deepEqual(await record(), whole(1))
    writeFileSync(log, session(4))
    const gone = await record()
    equal(gone.recorded, 1)
    match(gone.reasons.join(), /it is gone: \d+ bytes of it were read/)
    deepEqual(await record(), whole(0))
    deepEqual(await kept(), [4, 4])
  })

  it('is followed through a rotation until it is stopped, and recorded', async () => {
    const stop = new AbortController()
    const seen: string[] = []
    const text = session(2)
    const letIn = text.indexOf('\n', text.indexOf('connection authorized')) + 1
    writeFileSync(log, session(1))
    const following = followSessions(
      { ...workspace, signal: stop.signal },
      sessionsQuestion({ logs: [log], isRecording: true }),
      async ({ id, outcome }) =>
        void seen.push(`${parseInt(id.split('.')[1] ?? '', 16)} ${outcome}`),
    )
    const until = async (count: number) => {
      while (seen.length < count) await Promise.race([following, sleep(20)])
    }
    await until(1)
    appendFileSync(log, text.slice(0, letIn))
    await until(2)
    renameSync(log, rotated)
    appendFileSync(rotated, text.slice(letIn))
    writeFileSync(log, session(3))
    await until(4)
    stop.abort()
    deepEqual(await following, { shown: 4, recorded: 4 })
    deepEqual(seen.sort(), ['1 ended', '2 ended', '2 open', '3 ended'])
    deepEqual(await record(), whole(0))
    deepEqual(await kept(), [3, 4])
  })

  it('is rotated while it is read, and each session is recorded once', async () => {
    const step = await haltLedger(fresh.database, BATCH)
    writeFileSync(log, visits(MANY))
    const renamed = record()
    await step.reached()
    renameSync(log, rotated)
    appendFileSync(rotated, session(MANY + 1))
    writeFileSync(log, session(MANY + 2))
    await step.release()
    deepEqual(await renamed, whole(MANY + 1))
    deepEqual(await record(), whole(1))
    deepEqual(await kept(), [MANY + 2, MANY + 2])
  })

  it('is copied and emptied while it is read, and each session is recorded once', async () => {
    const step = await haltLedger(fresh.database, BATCH)
    writeFileSync(log, visits(MANY))
    const emptied = record()
    await step.reached()
    copyFileSync(log, rotated)
    truncateSync(log)
    appendFileSync(log, session(MANY + 1))
    await step.release()
    const { recorded = 0, reasons } = await emptied
    deepEqual(reasons, [])
    deepEqual(await record(), whole(MANY + 1 - recorded))
    deepEqual(await kept(), [MANY + 1, MANY + 1])
  })

  it('is read on after the database was lost, which ends whoever reads', async () => {
    writeFileSync(log, visits(MANY))
    const asked = sessionsQuestion({ logs: [log], isRecording: true })
    const readers = [
      async () => findSessions(workspace, asked),
      async () => followSessions(workspace, asked, async () => undefined),
    ]
    for (const read of readers) {
      const step = await haltLedger(fresh.database, 100)
      const lost = rejects(read(), UnreachableError)
      await step.reached()
      await fresh.database.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and wait_event_type = 'Lock'`,
      )
      await lost
      await step.release()
    }
    deepEqual(await record(), whole(MANY))
    deepEqual(await kept(), [MANY, MANY])
  })

  it('is recorded by one command at a time', async () => {
    const keep = () =>
      fresh.database.transaction((transaction) =>
        keepReadings(transaction, [{ server: 'db1', generation: 1, join: '{}', logs: [] }]),
      )
    await keep()
    await rejects(keep(), ConflictError)
  })
})
