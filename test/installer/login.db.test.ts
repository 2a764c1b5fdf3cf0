import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { addInstaller } from '../../src/lib/installer/add.js'
import { disableInstaller } from '../../src/lib/installer/disable.js'
import { countAttempt } from '../../src/lib/installer/login-store.js'
import { loginInstaller, type LoginOutcome } from '../../src/lib/installer/login.js'
import { parseEmail } from '../../src/lib/installer/types.js'
import { Secret } from '../../src/lib/secret.js'
import type { Workspace } from '../../src/lib/workspace.js'
import { freshDatabase, type FreshDatabase, testWorkspace } from '../support/database.js'
import { type RoleDatabase, roleDatabase } from '../support/roles.js'

// Runs alone: it compares times.

const EMAIL = 'installer@example.com'
const PASSWORD = new Secret('four quiet roofs sing')
const WRONG = new Secret('four quiet roofs sink')
const START = new Date('2024-06-15T10:00:00Z')
const MINUTE = 60_000

/** Every test logs in with the rights of a gate's login role and no others. */
describe('a login of the app', () => {
  let fresh: FreshDatabase
  let gate: RoleDatabase
  let staff: Workspace
  let workspace: Workspace
  let now: Date
  let warnings: string[]

  beforeEach(async () => {
    fresh = await freshDatabase()
    gate = await roleDatabase(fresh, 'cleverctl_gate')
    now = START
    warnings = []
    const clock = { now: () => now }
    staff = testWorkspace(fresh.database, { clock })
    const log = { ...staff.log, warn: (message: string) => warnings.push(message) }
    workspace = testWorkspace(gate.database, { clock, log })
    await addInstaller(staff, { email: EMAIL, name: 'Ines Taller', password: PASSWORD })
  })
  afterEach(async () => {
    await gate.close()
    await fresh.drop()
  })

  const login = (password: Secret, email = EMAIL): Promise<LoginOutcome> =>
    loginInstaller(workspace, { email, password })
  const refused = (code: string): unknown => ({ outcome: 'refused', code })
  const counters = async (): Promise<unknown> => {
    const { rows } = await fresh.database.query(
      'select failed_attempts as failed, locked_until as locked from cleverctl.installer',
    )
    return rows[0]
  }

  it('gives who it is and the epoch a token must carry', async () => {
    await fresh.database.query('update cleverctl.installer set token_epoch = 4')
    const outcome = await login(PASSWORD, ' Installer@Example.com')
    const { rows } = await fresh.database.query<{ id: string }>(
      'select id from cleverctl.installer',
    )
    deepEqual(outcome, { outcome: 'accepted', installerId: rows[0]?.id, email: EMAIL, epoch: 4 })
  })

  it('is refused for a wrong password, an unknown address and what is no address', async () => {
    deepEqual(await login(WRONG), refused('wrong-password'))
    deepEqual(await login(PASSWORD, 'nobody@example.com'), refused('unknown-email'))
    deepEqual(await login(PASSWORD, "x' or true --\0"), refused('unknown-email'))
    deepEqual(await login(new Secret('')), refused('wrong-password'))
  })

  it('verifies a password for an unknown address as well, so that both take as long', async () => {
    const fastest = async (email: string): Promise<number> => {
      const times: number[] = []
      for (let round = 0; round < 4; round += 1) {
        const start = performance.now()
        await login(WRONG, email)
        times.push(performance.now() - start)
      }
      return Math.min(...times)
    }
    const known = await fastest(EMAIL)
    const unknown = await fastest('nobody@example.com')
    ok(unknown > known / 2, `unknown took ${unknown} ms, known ${known} ms`)
  })

  it('locks the installer out for a quarter of an hour after ten wrong passwords', async () => {
    for (let attempt = 1; attempt <= 10; attempt += 1) {
      deepEqual(await login(WRONG), refused('wrong-password'), `attempt ${attempt}`)
    }
    match(warnings.join(), /installer@example.com is locked out until 2024-06-15T10:15/)
    deepEqual(await login(PASSWORD), refused('locked'))
    now = new Date(START.getTime() + 15 * MINUTE - 1)
    deepEqual(await login(PASSWORD), refused('locked'))
    now = new Date(START.getTime() + 15 * MINUTE)
    equal((await login(PASSWORD)).outcome, 'accepted')
    deepEqual(await counters(), { failed: 0, locked: null })
  })

  it('begins to count anew when a lock-out is over', async () => {
    await fresh.database.query(
      'update cleverctl.installer set failed_attempts = 10, locked_until = $1',
      [START],
    )
    deepEqual(await login(WRONG), refused('wrong-password'))
    deepEqual(await counters(), { failed: 1, locked: null })
  })

  it('forgets the failures after a right password, the last one allowed included', async () => {
    for (let attempt = 1; attempt <= 9; attempt += 1) await login(WRONG)
    deepEqual(await counters(), { failed: 9, locked: null })
    equal((await login(PASSWORD)).outcome, 'accepted')
    deepEqual(await counters(), { failed: 0, locked: null })
  })

  it('verifies no more than ten of thirty wrong passwords that come at once', async () => {
    const outcomes = await Promise.all(Array.from({ length: 30 }, () => login(WRONG)))
    const count = (code: string): number =>
      outcomes.filter((outcome) => outcome.outcome === 'refused' && outcome.code === code).length
    deepEqual([count('wrong-password'), count('locked')], [10, 20])
  })

  it('counts attempts of many gates at once one after the other', async () => {
    const attempt = {
      email: parseEmail(EMAIL),
      now: START,
      lockedUntil: new Date(START.getTime() + 15 * MINUTE),
      attemptsMax: 10,
    }
    const attempts = await Promise.all(
      Array.from({ length: 30 }, () => countAttempt(gate.database, attempt)),
    )
    equal(attempts.filter((found) => found?.counted).length, 10)
    deepEqual(await counters(), { failed: 10, locked: attempt.lockedUntil })
  })

  it('is refused for a disabled installer, with the right password too', async () => {
    await disableInstaller(staff, { email: EMAIL })
    deepEqual(await login(PASSWORD), refused('disabled'))
    deepEqual(await login(WRONG), refused('wrong-password'))
  })

  it('hashes the password anew when the parameters have changed, and only then', async () => {
    const hash = async (): Promise<string> => {
      const { rows } = await fresh.database.query<{ hash: string }>(
        'select password_hash as hash from cleverctl.installer',
      )
      return rows[0]?.hash ?? ''
    }
    const argon2 = await import('argon2')
    const former = await argon2.hash(PASSWORD.reveal(), {
      memoryCost: 8192,
      timeCost: 1,
      parallelism: 1,
    })
    await fresh.database.query('update cleverctl.installer set password_hash = $1', [former])
    await login(WRONG)
    equal(await hash(), former)
    equal((await login(PASSWORD)).outcome, 'accepted')
    const renewed = await hash()
    match(renewed, /^\$argon2id\$v=19\$m=19456,/)
    equal((await login(PASSWORD)).outcome, 'accepted')
    equal(await hash(), renewed)
  })

  it('answers busy when too many wait, and counts nothing for it', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 40 }, () => login(PASSWORD, 'nobody@example.com')),
    )
    const late = outcomes.filter(({ outcome }) => outcome === 'busy')
    equal(late.length, 40 - 34)
    equal((await login(PASSWORD)).outcome, 'accepted')
  })

  it('leaves nothing in the trail, which proves changes and not visits', async () => {
    await login(WRONG)
    await login(PASSWORD)
    const { rows } = await fresh.database.query<{ action: string }>(
      'select action from cleverctl.trail',
    )
    deepEqual(
      rows.map(({ action }) => action),
      ['installer.add'],
    )
  })
})
