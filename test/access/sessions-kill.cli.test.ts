import { deepEqual, equal } from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BATCH } from '../../src/lib/access/sessions/ledger/recorder.js'
import type { SessionsFound } from '../../src/lib/access/sessions/types.js'
import { ExitCode } from '../../src/lib/errors.js'
import { runCli } from '../support/cli.js'
import { freshDatabase, type FreshDatabase } from '../support/database.js'
import { haltAt, haltLedger, haltTrail, killAt, type Halt } from '../support/halt.js'
import { visits } from '../support/session-log.js'

const { ok, findings } = ExitCode
/** They take two batches, however the pieces are cut by which the log is read. */
const VISITS = BATCH + 500

describe('access sessions --record that is killed', () => {
  let fresh: FreshDatabase
  let home: string
  let log: string

  beforeEach(async () => {
    fresh = await freshDatabase()
    home = mkdtempSync(join(tmpdir(), 'cctl-sessions-kill-'))
    log = join(home, 'pg.json')
    writeFileSync(log, visits(VISITS))
  })
  afterEach(async () => {
    await fresh.drop()
    rmSync(home, { recursive: true, force: true })
  })

  const run = async (words: readonly string[], more: Parameters<typeof runCli>[1] = {}) =>
    runCli(['access', 'sessions', ...words, '--json'], {
      ...{ home, env: { CLEVERCTL_DATABASE_URL: fresh.url } },
      ...more,
    })
  const find = async (words: readonly string[], code: number): Promise<SessionsFound> => {
    const result = await run(words)
    equal(result.code, code, result.stdout + result.stderr)
    return result.json() as SessionsFound
  }
  const record = async () => (await find(['--record', '--log', log], ok)).recorded
  const killed = async (step: Halt, ...more: string[]) =>
    killAt(step, (options) => run(['--record', '--log', log, ...more], options))
  const rowsOfLedger = async () =>
    (await fresh.database.query('select from cleverctl.session')).rows.length
  /** Gives the command again. @param left how many sessions the killed one did not record */
  const finishes = async (left: number) => {
    equal(await record(), left)
    equal(await record(), 0)
    const { rows } = await fresh.database.query(
      'select count(distinct session_id)::int as sessions, count(*)::int as rows from cleverctl.session',
    )
    deepEqual(rows, [{ sessions: VISITS, rows: VISITS }])
    await find(['verify'], ok)
  }

  it('between reading and writing has recorded nothing, and the same command records everything', async () => {
    await killed(
      await haltAt(fresh.database, 'lock table cleverctl.session_server in exclusive mode'),
    )
    await finishes(VISITS)
  })

  it('while it writes has recorded what it committed, and goes on from there', async () => {
    await killed(await haltLedger(fresh.database, BATCH - 10))
    equal(await rowsOfLedger(), 0)
    await killed(await haltLedger(fresh.database, VISITS - 10))
    await finishes(VISITS - (await rowsOfLedger()))
  })

  it('while it follows is the same', async () => {
    await killed(await haltLedger(fresh.database, VISITS - 10), '--follow')
    await finishes(VISITS - (await rowsOfLedger()))
  })

  it('before it reports has lost no finding: the ledger answers, and the trail is told by the next one', async () => {
    await killed(await haltTrail(fresh.database), '--check')
    const { flagged } = await find(['--since', '36500d', '--check'], findings)
    equal(flagged, VISITS)
    await finishes(0)
    const told = await fresh.database.query(
      `select details ->> 'seq' as seq from cleverctl.trail where action = 'access.sessions'`,
    )
    deepEqual(told.rows, [{ seq: String(VISITS) }])
  })
})
