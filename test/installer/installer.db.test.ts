import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { ConflictError, NotFoundError, UsageError } from '../../src/lib/errors.js'
import { addInstaller } from '../../src/lib/installer/add.js'
import { assignInstaller, unassignInstaller } from '../../src/lib/installer/assign.js'
import { disableInstaller } from '../../src/lib/installer/disable.js'
import { listInstallers } from '../../src/lib/installer/list.js'
import { resetInstallerPassword } from '../../src/lib/installer/reset-password.js'
import { Secret } from '../../src/lib/secret.js'
import type { Workspace } from '../../src/lib/workspace.js'
import { freshDatabase, type FreshDatabase, testWorkspace } from '../support/database.js'

const EMAIL = 'installer@example.com'
const NAME = 'Ines Taller'
const PASSWORD = new Secret('four quiet roofs sing')
const OTHER = new Secret('five loud cellars hum')

describe('installers', () => {
  let fresh: FreshDatabase
  let workspace: Workspace

  beforeEach(async () => {
    fresh = await freshDatabase()
    workspace = testWorkspace(fresh.database)
    await fresh.database.query(
      `insert into cleverctl.installation (code, name, timezone, latitude, longitude, retired_at)
       values ('solar-0042', 'Almeria 42', 'Europe/Madrid', 36.84, -2.46, null),
         ('solar-0043', 'Almeria 43', 'Europe/Madrid', 36.85, -2.47, null),
         ('solar-0001', 'Old', 'Europe/Madrid', 36.86, -2.48, now())`,
    )
  })
  afterEach(() => fresh.drop())

  const add = (): Promise<unknown> =>
    addInstaller(workspace, { email: EMAIL, name: NAME, password: PASSWORD })
  const trail = async (): Promise<string[]> => {
    const { rows } = await fresh.database.query<{ action: string }>(
      'select action from cleverctl.trail order by seq',
    )
    return rows.map(({ action }) => action)
  }
  const row = async (): Promise<Record<string, unknown>> => {
    const { rows } = await fresh.database.query('select * from cleverctl.installer')
    return rows[0] ?? {}
  }

  it('are added once, whatever the spelling of the address', async () => {
    const asked = { email: ' Installer@EXAMPLE.com ', name: ` ${NAME} `, password: PASSWORD }
    deepEqual(await addInstaller(workspace, asked), { email: EMAIL, name: NAME, outcome: 'added' })
    deepEqual(await add(), { email: EMAIL, name: NAME, outcome: 'unchanged' })
    deepEqual(await trail(), ['installer.add'])
  })

  it('are added once by commands that run side by side', async () => {
    const outcomes = await Promise.all([add(), add(), add()])
    const counts = outcomes.map((result) => (result as { outcome: string }).outcome).sort()
    deepEqual(counts, ['added', 'unchanged', 'unchanged'])
    deepEqual(await trail(), ['installer.add'])
  })

  it('are kept with the hash of the password alone', async () => {
    await add()
    ok(!JSON.stringify(await row()).includes(PASSWORD.reveal()))
    const { rows } = await fresh.database.query('select * from cleverctl.trail')
    ok(!/argon2|quiet/.test(JSON.stringify(rows)))
  })

  it('are not replaced by another name, another password or after being disabled', async () => {
    await add()
    const conflict = (asked: object): Promise<void> =>
      rejects(
        addInstaller(workspace, { email: EMAIL, name: NAME, password: PASSWORD, ...asked }),
        ConflictError,
      )
    await conflict({ name: 'Somebody Else' })
    await conflict({ password: OTHER })
    await disableInstaller(workspace, { email: EMAIL })
    await conflict({})
    deepEqual(await trail(), ['installer.add', 'installer.disable'])
  })

  it('want a password that is not their address', async () => {
    const asked = { email: EMAIL, name: NAME, password: new Secret(EMAIL) }
    await rejects(addInstaller(workspace, asked), UsageError)
    deepEqual(await row(), {})
  })

  it('are assigned to all installations asked for or to none', async () => {
    await add()
    await assignInstaller(workspace, { email: EMAIL, installations: ['solar-0042'] })
    deepEqual(
      await assignInstaller(workspace, {
        email: EMAIL,
        installations: ['solar-0043', 'solar-0042', 'solar-0043'],
      }),
      { email: EMAIL, assigned: ['solar-0043'], unchanged: ['solar-0042'] },
    )
    deepEqual(await assignInstaller(workspace, { email: EMAIL, installations: ['solar-0042'] }), {
      email: EMAIL,
      assigned: [],
      unchanged: ['solar-0042'],
    })
    deepEqual(await trail(), ['installer.add', 'installer.assign', 'installer.assign'])
  })

  it('are not assigned to what is unknown or retired, nor when they are unknown or disabled', async () => {
    await add()
    const assign = (email: string, ...installations: string[]): Promise<unknown> =>
      assignInstaller(workspace, { email, installations })
    await rejects(assign('nobody@example.com', 'solar-0042'), NotFoundError)
    await rejects(assign(EMAIL, 'solar-0042', 'solar-9999'), /solar-9999/)
    await rejects(assign(EMAIL, 'solar-0042', 'solar-0001'), ConflictError)
    const [listed] = (await listInstallers(workspace, {})).installers
    deepEqual(listed?.installations, [])
    await disableInstaller(workspace, { email: EMAIL })
    await rejects(assign(EMAIL, 'solar-0042'), ConflictError)
  })

  it('lose an assignment once', async () => {
    await add()
    await assignInstaller(workspace, { email: EMAIL, installations: ['solar-0042'] })
    const asked = { email: EMAIL, installations: ['solar-0042', 'solar-0001'] }
    deepEqual(await unassignInstaller(workspace, asked), {
      email: EMAIL,
      unassigned: ['solar-0042'],
      unchanged: ['solar-0001'],
    })
    deepEqual(await unassignInstaller(workspace, asked), {
      email: EMAIL,
      unassigned: [],
      unchanged: ['solar-0042', 'solar-0001'],
    })
    deepEqual(await trail(), ['installer.add', 'installer.assign', 'installer.unassign'])
  })

  it('are disabled once, and with it every token of the app ends', async () => {
    await add()
    const first = await disableInstaller(workspace, { email: EMAIL })
    equal(first.outcome, 'disabled')
    deepEqual(await disableInstaller(workspace, { email: EMAIL }), {
      ...first,
      outcome: 'unchanged',
    })
    equal((await row()).token_epoch, 1)
    deepEqual(await trail(), ['installer.add', 'installer.disable'])
    await rejects(disableInstaller(workspace, { email: 'nobody@example.com' }), NotFoundError)
  })

  it('get a new password, which ends their tokens and the lock-out', async () => {
    await add()
    await fresh.database.query(
      `update cleverctl.installer set failed_attempts = 10, locked_until = $1`,
      [new Date(workspace.clock.now().getTime() + 60_000)],
    )
    const reset = (password: Secret, enable = false): Promise<unknown> =>
      resetInstallerPassword(workspace, { email: EMAIL, password, enable })
    deepEqual(await reset(OTHER), { email: EMAIL, outcome: 'reset', enabled: false })
    const { failed_attempts, locked_until, token_epoch } = await row()
    deepEqual(
      { failed_attempts, locked_until, token_epoch },
      {
        failed_attempts: 0,
        locked_until: null,
        token_epoch: 1,
      },
    )
    deepEqual(await reset(OTHER), { email: EMAIL, outcome: 'unchanged', enabled: false })
    deepEqual(await trail(), ['installer.add', 'installer.reset-password'])
  })

  it('that are disabled come back only when that is asked for', async () => {
    await add()
    await disableInstaller(workspace, { email: EMAIL })
    const reset = (enable: boolean): Promise<unknown> =>
      resetInstallerPassword(workspace, { email: EMAIL, password: PASSWORD, enable })
    await rejects(reset(false), ConflictError)
    deepEqual(await reset(true), { email: EMAIL, outcome: 'reset', enabled: true })
    equal((await row()).disabled_at, null)
  })

  it('are listed by address with state and installations, never with a hash', async () => {
    await add()
    await addInstaller(workspace, { email: 'alba@example.com', name: 'Alba', password: OTHER })
    await assignInstaller(workspace, { email: EMAIL, installations: ['solar-0043', 'solar-0042'] })
    const lockedUntil = new Date(workspace.clock.now().getTime() + 60_000)
    await fresh.database.query(
      `update cleverctl.installer set locked_until = $1 where email = 'alba@example.com'`,
      [lockedUntil],
    )
    const { installers } = await listInstallers(workspace, {})
    deepEqual(
      installers.map(({ createdAt, ...rest }) => ({
        ...rest,
        hasDate: !Number.isNaN(Date.parse(createdAt)),
      })),
      [
        {
          email: 'alba@example.com',
          name: 'Alba',
          state: 'locked',
          installations: [],
          lockedUntil: lockedUntil.toISOString(),
          hasDate: true,
        },
        {
          email: EMAIL,
          name: NAME,
          state: 'enabled',
          installations: ['solar-0042', 'solar-0043'],
          hasDate: true,
        },
      ],
    )
    const some = await listInstallers(workspace, { installation: 'solar-0042' })
    deepEqual(
      some.installers.map(({ email }) => email),
      [EMAIL],
    )
    await rejects(listInstallers(workspace, { installation: 'solar-9999' }), NotFoundError)
  })
})
