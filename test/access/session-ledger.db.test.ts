import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { verifyLedger } from '../../src/lib/access/sessions/ledger/verify.js'
import { findSessions, type SessionsQuestion } from '../../src/lib/access/sessions/sessions.js'
import type { SessionsFound, ShownSession } from '../../src/lib/access/sessions/types.js'
import { FindingsError, NotFoundError, RefusedError } from '../../src/lib/errors.js'
import { addAccount } from '../../src/lib/staff/add.js'
import type { Workspace } from '../../src/lib/workspace.js'
import { freshDatabase, testClock, testWorkspace, type FreshDatabase } from '../support/database.js'
import { roleDatabase } from '../support/roles.js'
import { sessionsQuestion, visit } from '../support/session-log.js'

const EVERYTHING = { who: undefined, flag: undefined, server: undefined }

describe('the ledger of sessions', () => {
  let fresh: FreshDatabase
  let workspace: Workspace
  let folder: string
  let log: string

  const find = async (more: Partial<SessionsQuestion>): Promise<SessionsFound> =>
    findSessions(workspace, sessionsQuestion(more))
  const record = async (): Promise<number | undefined> =>
    (await find({ logs: [log], isRecording: true })).recorded
  const kept = async (more: Partial<SessionsQuestion['filter']> = {}) =>
    (await find({ filter: { ...EVERYTHING, ...more } })).sessions
  const brief = ({ who, application, outcome, flags }: ShownSession) =>
    [who, application, outcome, ...flags].join(' ')

  beforeEach(async () => {
    fresh = await freshDatabase()
    workspace = testWorkspace(fresh.database)
    folder = mkdtempSync(join(tmpdir(), 'cctl-ledger-'))
    log = join(folder, 'pg.json')
    const engineer = {
      ...{ kind: 'staff' as const, handle: 'ana@example.com', description: 'Ana', owner: null },
      ...{ roleNames: ['ana'], networks: ['10.0.0.0/8'], until: null, isReplaced: false },
    }
    await addAccount(workspace, engineer)
  })
  afterEach(async () => {
    await fresh.drop()
    rmSync(folder, { recursive: true, force: true })
  })

  it('keeps who was in, and the same log read twice adds nothing', async () => {
    await rejects(find({}), NotFoundError)
    writeFileSync(
      log,
      visit({ pid: 1, user: 'ana', application: 'psql' }) +
        visit({ pid: 2, user: 'eve', application: 'psql' }) +
        visit({ pid: 3, user: 'ana', application: 'a\0b\uD800' }),
    )
    equal(await record(), 3)
    const sessions = await kept()
    deepEqual(sessions.map(brief), [
      'ana@example.com psql ended',
      'nobody psql ended nobody',
      'ana@example.com a\uFFFDb\uFFFD ended first-application',
    ])
    equal(sessions[0]?.server, `${workspace.actor.host}:${folder}`)
    equal(await record(), 0)
    deepEqual(await kept(), sessions)
    deepEqual(
      (await kept({ who: 'ana@example.com', flag: 'first-application' })).map(brief),
      sessions.slice(2).map(brief),
    )
    deepEqual(await kept({ server: 'db1' }), [])
    equal((await verifyLedger(workspace)).rows, 3)
  })

  it('writes a session again when it has ended, and shows it once', async () => {
    const whole = visit({ pid: 1, user: 'ana', application: 'psql' })
    writeFileSync(log, whole.slice(0, whole.lastIndexOf('\n', whole.length - 2) + 1))
    equal(await record(), 1)
    deepEqual((await kept()).map(brief), ['ana@example.com psql open'])
    writeFileSync(log, whole)
    equal(await record(), 1)
    deepEqual((await kept()).map(brief), ['ana@example.com psql ended'])
    equal((await verifyLedger(workspace)).rows, 2)
  })

  it('remembers from where and by what a role came, and what stood out', async () => {
    writeFileSync(log, visit({ pid: 1, user: 'ana', application: 'psql' }))
    await record()
    const again = visit({ pid: 2, user: 'ana', application: 'dump', address: '10.0.0.9' })
    writeFileSync(log, again, { flag: 'a' })
    await record()
    await record()
    deepEqual((await kept()).map(brief), [
      'ana@example.com psql ended',
      'ana@example.com dump ended first-address first-application',
    ])
  })

  it('finds a storm that two readings share, and counts no refusal twice', async () => {
    const refusals = Array.from({ length: 11 }, (_, pid) =>
      visit({ pid: pid + 1, user: 'ana', isRefused: true }),
    )
    writeFileSync(log, refusals.slice(0, 6).join(''))
    await record()
    await record()
    deepEqual(await kept({ flag: 'failed-login-storm' }), [])
    writeFileSync(log, refusals.join(''))
    const { flagged, recorded } = await find({ logs: [log], isRecording: true })
    deepEqual([flagged, recorded], [11, 11])
    equal((await kept({ flag: 'failed-login-storm' })).length, 11)
    await verifyLedger(workspace)
  })

  it('is filled with what is shown, however old it is, and shows it once', async () => {
    workspace = testWorkspace(fresh.database, { clock: testClock('2026-11-01T00:00:00Z') })
    writeFileSync(log, visit({ pid: 1, user: 'eve' }))
    const asked = { logs: [log], sinceMs: 86_400_000, isChecking: true }
    equal((await find(asked)).total, 0)
    await rejects(find({ ...asked, isRecording: true }), FindingsError)
    equal((await find({ ...asked, isRecording: true })).total, 0)
    equal((await find({ ...asked, isRecording: true, isAnew: true })).total, 0)
  })

  it('shows every row that somebody altered, removed or rewrote with its hash', async () => {
    const problems = async () => {
      const error: unknown = await verifyLedger(workspace).catch((caught: unknown) => caught)
      ok(error instanceof FindingsError)
      return (error.result as { problems: { seq: number; kind: string }[] }).problems
        .map(({ seq, kind }) => `${seq} ${kind}`)
        .join(', ')
    }
    const tamper = async (statement: string) => {
      await fresh.database.query('alter table cleverctl.session disable trigger all')
      await fresh.database.query(statement)
      await fresh.database.query('alter table cleverctl.session enable trigger all')
    }
    writeFileSync(
      log,
      [1, 2, 3].map((pid) => visit({ pid, user: 'ana', application: 'psql' })).join(''),
    )
    await record()
    await rejects(fresh.database.query('delete from cleverctl.session'), /append-only/)
    await tamper(`update cleverctl.session set who = 'bob@example.com' where seq = 2`)
    match(await problems(), /^2 altered$/)
    await tamper(`update cleverctl.session set who = 'ana@example.com' where seq = 2`)
    await verifyLedger(workspace)
    await tamper(`update cleverctl.session set who = 'bob@example.com' where seq = 3`)
    await tamper(
      'update cleverctl.session as told set hash = cleverctl.session_hash(told) where seq = 3',
    )
    await tamper(
      'update cleverctl.session_head as head set hash = told.hash from cleverctl.session as told where told.seq = 3',
    )
    match(await problems(), /^3 altered$/)
    writeFileSync(log, visit({ pid: 4, user: 'ana' }), { flag: 'a' })
    equal(await record(), 1)
    match(await problems(), /^3 altered$/, 'whatever the trail tells since')
    await tamper('delete from cleverctl.session where seq = 3')
    match(await problems(), /3 removed/)
  })

  it('is written by staff alone', async () => {
    writeFileSync(log, visit({ pid: 1, user: 'ana', application: 'psql' }))
    const auditor = await roleDatabase(fresh, 'cleverctl_auditor')
    const staff = await roleDatabase(fresh, 'cleverctl_staff')
    try {
      workspace = testWorkspace(auditor.database)
      await rejects(record(), RefusedError)
      workspace = testWorkspace(staff.database)
      equal(await record(), 1)
      workspace = testWorkspace(auditor.database)
      equal((await kept()).length, 1)
      await verifyLedger(workspace)
    } finally {
      await auditor.close()
      await staff.close()
    }
  })
})
