import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../../src/lib/clock.js'
import { diagnose, type Diagnosis } from '../../src/lib/doctor/diagnose.js'
import type { CheckResult } from '../../src/lib/doctor/types.js'
import { ExitCode, ExpectedError } from '../../src/lib/errors.js'
import { initialise } from '../../src/lib/init/initialise.js'
import { Secret } from '../../src/lib/secret.js'
import { freshDatabase, type FreshDatabase } from '../support/database.js'
import { roleDatabase } from '../support/roles.js'
import { testSurroundings } from '../support/surroundings.js'

const DAY = 86_400_000

describe('doctor', () => {
  let fresh: FreshDatabase
  let folder: string
  let home: string
  let environment: Record<string, string>

  beforeEach(async () => {
    fresh = await freshDatabase()
    folder = mkdtempSync(join(tmpdir(), 'cctl-doctor-'))
    home = join(folder, 'home')
    environment = { CLEVERCTL_HOME: home }
  })
  afterEach(async () => {
    await fresh.drop()
    rmSync(folder, { recursive: true })
  })

  const init = (keyring = 'file'): Promise<unknown> =>
    initialise(
      testSurroundings(environment, { askPassphrase: async () => new Secret('a long passphrase') }),
      { profile: undefined, databaseUrl: fresh.url, keyring },
      { choose: async ({ suggestion }) => suggestion, confirm: async () => undefined },
    )
  /** The checks by id and the exit code, whether it ends well or not. */
  const examine = async (
    more: Record<string, string> = {},
    clock: Clock = { now: () => new Date() },
  ): Promise<{ code: number; checks: Map<string, CheckResult> }> => {
    const surroundings = testSurroundings({ ...environment, ...more }, { clock })
    const subject = { profile: undefined, databaseUrl: undefined }
    const byId = ({ checks }: Diagnosis): Map<string, CheckResult> =>
      new Map(checks.map((check) => [check.id, check]))
    try {
      return { code: ExitCode.ok, checks: byId(await diagnose(surroundings, subject)) }
    } catch (error) {
      if (!(error instanceof ExpectedError)) throw error
      return { code: error.exitCode, checks: byId(error.result as Diagnosis) }
    }
  }
  const verdicts = (checks: Map<string, CheckResult>, wanted: string): string[] =>
    [...checks.values()].filter(({ verdict }) => verdict === wanted).map(({ id }) => id)
  const installation = (code: string): Promise<unknown> =>
    fresh.database.query(
      `insert into cleverctl.installation (code, name, timezone, latitude, longitude)
       values ($1, $1, 'Europe/Madrid', 36.84, -2.46)`,
      [code],
    )
  const key = (
    code: string,
    state: string,
    expiresAt: Date | null,
    version = 1,
  ): Promise<unknown> =>
    fresh.database.query(
      `insert into cleverctl.api_key (key_id, installation_id, version, state, digest, expires_at, revoked_at, revoke_reason)
       select substr(md5(random()::text), 1, 8), id, $2, $3, sha256('x'), $4, case when $3 = 'REVOKED' then now() end,
         case when $3 = 'REVOKED' then 'lost' end
       from cleverctl.installation where code = $1`,
      [code, version, state, expiresAt],
    )

  it('finds nothing wrong with a new set-up', async () => {
    await init()
    const { code, checks } = await examine()
    equal(code, ExitCode.ok)
    equal(verdicts(checks, 'ok').length, checks.size)
  })

  it('tells that there is no room for readings of this month, or of a month that begins in a week', async () => {
    await init()
    const { rows } = await fresh.database.query<{ monthStart: Date; lastWeek: Date }>(
      `select date_trunc('month', now()) as "monthStart",
         date_trunc('month', now()) + interval '1 month' - interval '3 days' as "lastWeek"`,
    )
    const { monthStart = new Date(), lastWeek = new Date() } = rows[0] ?? {}
    const ensure = (moment: string): Promise<unknown> =>
      fresh.database.query(`select cleverctl.reading_ensure_partition(${moment})`)
    const verdict = async (now: Date): Promise<string | undefined> =>
      (await examine({}, { now: () => now })).checks.get('partitions')?.verdict

    await ensure(`date_trunc('month', now()) - interval '1 day'`)
    equal(await verdict(monthStart), 'warning')
    await ensure('now()')
    deepEqual([await verdict(monthStart), await verdict(lastWeek)], ['ok', 'warning'])
    await ensure(`date_trunc('month', now()) + interval '1 month'`)
    equal(await verdict(lastWeek), 'ok')
  })

  it('gives every check that is not well a next step', async () => {
    const { checks } = await examine({ CLEVERCTL_DATABASE_URL: fresh.url })
    for (const { id, verdict, next } of checks.values()) {
      if (verdict === 'warning' || verdict === 'failure') ok(next, id)
    }
  })

  it('makes nothing in a home where nothing is', async () => {
    const { code, checks } = await examine()
    equal(code, ExitCode.failure)
    deepEqual(checks.get('database'), {
      id: 'database',
      title: 'database',
      verdict: 'not-checked',
      detail: `there is no database in ${home} yet`,
      next: 'cleverctl init',
    })
    equal(existsSync(home), false)
  })

  it('makes no keyring and no signing keys in a database that has none', async () => {
    const { code, checks } = await examine({ CLEVERCTL_DATABASE_URL: fresh.url })
    equal(code, ExitCode.findings)
    deepEqual(verdicts(checks, 'failure'), ['keyring', 'keyring-file', 'signing-keys'])
    equal(existsSync(home), false)
    const { rows } = await fresh.database.query('select from cleverctl.keyring_key')
    equal(rows.length, 0)
  })

  it('says by exit 7 that the database is out of reach', async () => {
    await init()
    const { code, checks } = await examine({
      CLEVERCTL_DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none?connect_timeout=1',
    })
    equal(code, ExitCode.unreachable)
    equal(checks.get('database')?.verdict, 'not-checked')
    deepEqual(verdicts(checks, 'failure'), [])
    ok(verdicts(checks, 'not-checked').length > 5)
  })

  it('takes a login that is refused, and a database that is not there, for failures', async () => {
    await init()
    const url = fresh.url.replace(/\/test_\w+/, '/nowhere')
    const { code, checks } = await examine({ CLEVERCTL_DATABASE_URL: url })
    deepEqual([code, checks.get('database')?.verdict], [ExitCode.findings, 'failure'])
  })

  it('judges the permissions of the home folder', async () => {
    await init()
    for (const [mode, verdict] of [
      [0o700, 'ok'],
      [0o711, 'ok'],
      [0o755, 'warning'],
      [0o770, 'failure'],
      [0o777, 'failure'],
    ] as const) {
      chmodSync(home, mode)
      equal((await examine()).checks.get('home')?.verdict, verdict, mode.toString(8))
    }
  })

  it('tells a broken config.json, and looks no further than it can', async () => {
    await init()
    writeFileSync(join(home, 'config.json'), '{')
    const { code, checks } = await examine()
    equal(code, ExitCode.findings)
    match(checks.get('config')?.detail ?? '', /config\.json: not JSON/)
    equal(checks.get('trail')?.verdict, 'not-checked')
  })

  it('tells a keyring file that others can read, that is gone, or that is wrong', async () => {
    await init()
    const file = join(home, 'keyring.json')
    const content = readFileSync(file, 'utf8')
    chmodSync(file, 0o644)
    const open = await examine()
    equal(open.checks.get('keyring-file')?.next, `chmod 600 ${file}`)
    rmSync(file)
    const gone = await examine()
    deepEqual(verdicts(gone.checks, 'failure'), ['keyring', 'keyring-file'])
    equal(existsSync(file), false)
    const { keys } = JSON.parse(content) as { keys: { key: string }[] }
    const other = content.replace(keys[0]?.key ?? '', Buffer.alloc(32, 7).toString('base64'))
    writeFileSync(file, other, { mode: 0o600 })
    const wrong = await examine()
    deepEqual([wrong.code, wrong.checks.get('keyring')?.verdict], [ExitCode.findings, 'failure'])
  })

  it('does not know about a keyring whose passphrase nobody gives', async () => {
    await init('passphrase')
    const { code, checks } = await examine()
    deepEqual([code, verdicts(checks, 'not-checked')], [ExitCode.failure, ['keyring']])
  })

  it('tells missing and old signing keys', async () => {
    await init()
    const later = { now: () => new Date(Date.now() + 91 * DAY) }
    const old = await examine({}, later)
    equal(old.checks.get('signing-keys')?.next, 'cleverctl signing-key rotate')
    await fresh.database.query(`delete from cleverctl.signing_key where state = 'NEXT'`)
    const missing = (await examine()).checks.get('signing-keys')
    deepEqual([missing?.verdict, missing?.next], ['failure', 'cleverctl init'])
  })

  it('compares the clocks', async () => {
    await init()
    const verdictAt = async (aheadMs: number): Promise<string | undefined> => {
      const clock = { now: () => new Date(Date.now() + aheadMs) }
      return (await examine({}, clock)).checks.get('clock')?.verdict
    }
    deepEqual(
      [await verdictAt(1000), await verdictAt(-20_000), await verdictAt(90_000)],
      ['ok', 'warning', 'failure'],
    )
  })

  it('tells migrations that are not applied, and checks nothing on top of them', async () => {
    await init()
    await fresh.database.query(
      'delete from cleverctl.migration where version = (select max(version) from cleverctl.migration)',
    )
    const { code, checks } = await examine()
    equal(code, ExitCode.findings)
    equal(checks.get('migrations')?.next, 'cleverctl database migrate')
    equal(checks.get('trail')?.verdict, 'not-checked')
  })

  it('tells a trail whose end was changed by other hands', async () => {
    await init()
    await fresh.database.query('alter table cleverctl.trail disable trigger trail_refuse_change')
    await fresh.database.query(`update cleverctl.trail set subject = 'nothing' where seq = 1`)
    const { code, checks } = await examine()
    equal(code, ExitCode.findings)
    match(checks.get('trail')?.detail ?? '', /^row 1 is altered/)
    equal(checks.get('trail')?.next, 'cleverctl trail verify')
  })

  it('looks at the last thousand rows of a long trail only', async () => {
    await init()
    await fresh.database.query(
      `select cleverctl.trail_append('change', 'test.fill', n::text, 'tester', 'test-host', null, '{}')
       from generate_series(1, 1500) as n`,
    )
    match((await examine()).checks.get('trail')?.detail ?? '', /^the last 1000 rows are sound/)
    await fresh.database.query('alter table cleverctl.trail disable trigger trail_refuse_change')
    await fresh.database.query(`update cleverctl.trail set subject = 'x' where subject = '100'`)
    equal((await examine()).checks.get('trail')?.verdict, 'ok')
    await fresh.database.query(`delete from cleverctl.trail where subject = '1400'`)
    equal((await examine()).checks.get('trail')?.verdict, 'failure')
  })

  it('names installations without a key that works', async () => {
    await init()
    for (const code of ['solar-0042', 'solar-0043', 'solar-0044', 'solar-0045'])
      await installation(code)
    await key('solar-0042', 'CURRENT', null)
    await key('solar-0043', 'CURRENT', new Date(Date.now() - DAY))
    await key('solar-0044', 'REVOKED', null)
    await fresh.database.query(
      `update cleverctl.installation set retired_at = now() where code = 'solar-0045'`,
    )
    const found = (await examine()).checks.get('api-keys')
    deepEqual(
      [found?.verdict, found?.detail, found?.next],
      [
        'warning',
        'without a key that works: solar-0043, solar-0044',
        'cleverctl api-key issue solar-0043 --output key.txt',
      ],
    )
  })

  it('names the keys that end within thirty days, the soonest first', async () => {
    await init()
    for (const [code, days] of [
      ['solar-0042', 29],
      ['solar-0043', 3],
      ['solar-0044', 31],
    ] as const) {
      await installation(code)
      await key(code, 'CURRENT', new Date(Date.now() + days * DAY))
    }
    const found = (await examine()).checks.get('api-key-expiry')
    equal(found?.detail, 'within 30 days: solar-0043, solar-0042')
  })

  it('calls a check that its role may not make not checked', async () => {
    await init()
    const gate = await roleDatabase(fresh, 'cleverctl_gate')
    const { code, checks } = await examine({ CLEVERCTL_DATABASE_URL: gate.url })
    await gate.close()
    equal(checks.get('trail')?.verdict, 'not-checked')
    match(checks.get('trail')?.detail ?? '', /may not/)
    equal(code, ExitCode.failure)
  })

  it('stops when it is told to', async () => {
    await init()
    const reason = new Error('stopped')
    const surroundings = testSurroundings(environment, { signal: AbortSignal.abort(reason) })
    await rejects(diagnose(surroundings, { profile: undefined, databaseUrl: undefined }), reason)
  })
})
