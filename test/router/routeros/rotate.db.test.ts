import assert from 'node:assert/strict'
import { openCredential } from '../../../src/lib/router/credential.js'
import { reconcileRouters } from '../../../src/lib/router/rotation/reconcile.js'
import { rotateRouter, type RotatedRouter } from '../../../src/lib/router/rotation/rotate.js'
import { selectInGrace } from '../../../src/lib/router/rotation/overlap-store.js'
import type { RotationChoice } from '../../../src/lib/router/rotation/types.js'
import { selectCurrentCredentials, selectRouter } from '../../../src/lib/router/store.js'
import { CancelledError, ExpectedError } from '../../../src/lib/errors.js'
import type { Workspace } from '../../../src/lib/workspace.js'
import type { Flavour } from '../../support/routeros/menus.js'
import { textOf, type Fields } from '../../support/routeros/script.js'
import {
  passphraseAt,
  startTestRouteros,
  type RosBox,
  type TestRouteros,
} from '../../support/routeros/test-routeros.js'
import { seeded } from '../../support/seeded.js'
import { workspaceOf } from '../chaos/plant-workspace.js'
import { FIRST, Plant } from '../rotation/plant.js'

const WAYS = { environment: {} }
const CHOICE: RotationChoice = {
  what: ['wifi', 'admin'],
  overlapMs: undefined,
  rollbackMs: 300_000,
  olderThanMs: undefined,
  isOverwriting: false,
}
/** So many seconds of the router pass in one. */
const SPEED = 50
/** So many commands of the smallest rotation change something: the fault always comes. */
const FEWEST_COMMANDS = 16
const RUNS = Number(process.env['CLEVERCTL_TEST_ROUTEROS_RUNS'] ?? 12)

describe('a rotation of a RouterOS router', () => {
  let plant: Plant
  let workspace: Workspace
  let number = 0
  const routers: TestRouteros[] = []

  before(async () => {
    plant = await Plant.make(40)
    workspace = await workspaceOf(plant)
  })
  afterEach(async () => {
    await Promise.all(routers.splice(0).map((router) => router.stop()))
  })
  after(async () => {
    await plant.remove()
  })

  const start = async (box: RosBox = {}) => {
    const router = await startTestRouteros({ speed: SPEED, points: ['wifi1', 'wifi2'], ...box })
    routers.push(router)
    const installation = `solar-${(number += 1)}`
    await plant.add(installation, router, 'routeros', ['--username', 'admin'])
    return { router, installation }
  }
  const rotate = async (
    installation: string,
    more: Partial<RotationChoice> = {},
    at = workspace,
  ): Promise<RotatedRouter> => {
    const choice = { ...CHOICE, ...more }
    return rotateRouter(at, { installation, choice, startedAt: new Date() }, WAYS)
  }
  const reconcile = (installation: string, isEndingOverlap = false) =>
    reconcileRouters(
      workspace,
      { installations: [installation], isEndingOverlap, concurrency: 1 },
      WAYS,
    )
  /** What the database has in force: password, name, passphrase, and the one beside it. */
  const recorded = async (installation: string) => {
    const keyring = await workspace.keyring()
    const row = await selectRouter(workspace.database, installation)
    const current = await selectCurrentCredentials(workspace.database, row?.id ?? '')
    const [former] = await selectInGrace(workspace.database, row?.id ?? '')
    const [password, wifi] = ['admin', 'wifi'].map((kind) =>
      current.find((each) => each.kind === kind),
    )
    assert.ok(password && wifi)
    const reveal = (each: typeof wifi) => openCredential(keyring, each).reveal()
    return {
      password: reveal(password),
      ssid: (former ?? wifi).name,
      passphrase: reveal(former ?? wifi),
      extra: former && reveal(wifi),
      ...(former && former.name !== wifi.name ? { second: wifi.name } : {}),
    }
  }
  /** What is in force on the router, at every access point. */
  const onRouter = ({ console, menu, ...rest }: TestRouteros) => {
    const at = { console, menu, ...rest }
    const isAdded = (item: Fields) => textOf(item.get('name')).startsWith('cleverctl_next')
    const passphrasesOf = (items: readonly Fields[]) => [
      ...new Set(items.map((item) => passphraseAt(at, textOf(item.get('name'))))),
    ]
    const namesOf = (items: readonly Fields[]) => [
      ...new Set(
        items.map((item) => {
          const profile = textOf(item.get('configuration'))
          return textOf(
            item.get('ssid') ??
              item.get('configuration.ssid') ??
              console.named(`${menu} configuration`, profile)?.get('ssid'),
          )
        }),
      ),
    ]
    const points = console.items(menu).filter((item) => !isAdded(item))
    const added = console.items(menu).filter(isAdded)
    const [passphrases, ssids] = [passphrasesOf(points), namesOf(points)]
    const extras = menu.endsWith('wifi')
      ? (console.tables.get(`${menu} security multi-passphrase`) ?? [])
      : []
    const [extra] = extras.filter((item) => item.get('comment') === 'cleverctl_next')
    assert.equal(passphrases.length, 1)
    assert.equal(ssids.length, 1)
    assert.ok(added.length === 0 || added.length === points.length)
    // Each leads to where the first one does.
    const ports = console.items('/interface bridge port').map((item) => item.get('interface'))
    assert.deepEqual(
      ports,
      [...points, ...added].map((item) => item.get('name')),
    )
    return {
      password: textOf(console.named('/user', 'admin')?.get('password')),
      ssid: ssids[0],
      passphrase: passphrases[0],
      extra: extra ? textOf(extra.get('passphrase')) : passphrasesOf(added)[0],
      ...(added.length > 0 ? { second: namesOf(added).join() } : {}),
    }
  }
  /** Nothing of a change is left but the mark of how it ended. */
  const assertClean = ({ console }: TestRouteros) => {
    assert.deepEqual(console.items('/ppp secret'), [])
    assert.deepEqual(console.items('/system script'), [])
    const names = console.items('/system scheduler').map((item) => textOf(item.get('name')))
    assert.ok(
      names.every((name) => name === 'cleverctl-last'),
      names.join(),
    )
  }
  const assertInForce = async (installation: string, router: TestRouteros) =>
    assert.deepEqual(onRouter(router), await recorded(installation))

  const BOXES: [Flavour, RosBox['setAt']][] = [
    ['6.49', undefined],
    ['7.12 wireless', undefined],
    ['7.12 wifiwave2', 'security'],
    ['7.16 wifi', 'configuration'],
    ['7.20 wifi', 'interface'],
  ]
  for (const [flavour, setAt] of BOXES)
    it(`gives ${flavour} new secrets, with passphrases in the ${setAt ?? 'profile'}`, async () => {
      const { router, installation } = await start({ flavour, ...(setAt ? { setAt } : {}) })
      const done = await rotate(installation, { what: ['wifi', 'admin', 'name'] })
      assert.deepEqual([done.outcome, done.passwordProven], ['rotated', true])
      const now = await recorded(installation)
      assert.ok(now.password !== FIRST.password && now.passphrase !== FIRST.passphrase)
      assert.notEqual(now.ssid, FIRST.ssid)
      await assertInForce(installation, router)
      assertClean(router)
      assert.equal((await reconcile(installation)).state, 'new')
    })

  it('has a second passphrase work beside the first, and takes the first one off', async () => {
    const { router, installation } = await start()
    await rotate(installation, { what: ['wifi'], overlapMs: 86_400_000 })
    const during = onRouter(router)
    assert.equal(during.passphrase, FIRST.passphrase)
    assert.ok(during.extra)
    await assertInForce(installation, router)
    const group = router.console.named('/interface wifi security', 'plant')
    assert.equal(group?.get('multi-passphrase-group'), 'cleverctl_next')
    assert.equal((await reconcile(installation, true)).overlapEnded, true)
    assert.deepEqual(onRouter(router), { ...during, passphrase: during.extra, extra: undefined })
    await assertInForce(installation, router)
    assert.equal(group?.get('multi-passphrase-group'), undefined)
    assert.deepEqual(router.console.items('/interface wifi security multi-passphrase'), [])
    assertClean(router)
  })

  const SECONDS: [string, RosBox, RotationChoice['what']][] = [
    ['6.49', { flavour: '6.49' }, ['wifi']],
    [
      '7.16 with all in the configuration',
      { flavour: '7.16 wifi', setAt: 'configuration' },
      ['wifi'],
    ],
    ['7.20 with WPA3', { authenticationTypes: 'wpa2-psk,wpa3-psk' }, ['wifi']],
    ['7.20 with a new name', { setAt: 'interface' }, ['wifi', 'name']],
  ]
  for (const [title, box, what] of SECONDS)
    it(`has a second Wi-Fi where a second passphrase cannot be: ${title}`, async () => {
      const { router, installation } = await start(box)
      const profiles = JSON.stringify([...router.console.tables])
      await rotate(installation, { what, overlapMs: 86_400_000 })
      const during = onRouter(router)
      assert.deepEqual([during.ssid, during.passphrase], [FIRST.ssid, FIRST.passphrase])
      assert.match(String(during.second), /^CLV-/)
      await assertInForce(installation, router)
      const added = router.console.named(router.menu, 'cleverctl_next2')
      assert.equal(added?.get('master-interface'), 'wifi2')
      assert.equal((await reconcile(installation, true)).overlapEnded, true)
      const { second, extra, ...others } = during
      const after = { ...others, ssid: second, passphrase: extra, extra: undefined }
      assert.deepEqual(onRouter(router), after)
      await assertInForce(installation, router)
      assertClean(router)
      const names = (text: string) =>
        [...text.matchAll(/"name","([^"]*)"/g)].map(([, name]) => name)
      const left = names(JSON.stringify([...router.console.tables]))
      assert.deepEqual(
        left.filter((name) => name !== 'cleverctl-last'),
        names(profiles),
      )
    })

  it('refuses an overlap that RouterOS cannot have, before anything is changed', async () => {
    for (const box of [
      { flavour: '6.49' },
      { flavour: '7.16 wifi' },
      { flavour: '7.20 wifi', authenticationTypes: 'wpa2-psk,wpa3-psk' },
    ] as const) {
      const { router, installation } = await start(box)
      router.console.items('/interface bridge port').length = 0
      await assert.rejects(
        rotate(installation, { what: ['wifi'], overlapMs: 86_400_000 }),
        (error: ExpectedError) => error.code === 'overlap-impossible',
      )
      assert.deepEqual(router.console.items('/system scheduler'), [])
      assert.deepEqual(await recorded(installation), { ...FIRST, extra: undefined })
    }
  })

  it('refuses what it could not undo, and keeps the old secrets', async () => {
    const refused = async (box: RosBox, spoil: (router: TestRouteros) => void, reason: RegExp) => {
      const { router, installation } = await start(box)
      spoil(router)
      await assert.rejects(rotate(installation), reason)
      assert.equal(onRouter({ ...router }).password, FIRST.password)
      assert.deepEqual(await recorded(installation), { ...FIRST, extra: undefined })
    }
    await refused(
      {},
      ({ console }) => console.set('/system device-mode', { scheduler: false }),
      /device mode/,
    )
    await refused(
      {},
      ({ console }) => console.set('/system resource', { 'free-hdd-space': 10 }),
      /flash of the router is full/,
    )
    const { router, installation } = await start({ flavour: '6.49' })
    router.console.named('/interface wireless', 'wifi2')?.set('ssid', 'Guests')
    await assert.rejects(rotate(installation), /which wifi2 uses too/)
    assertClean(router)
  })

  it('goes back by itself, by the clock and after a power cut', async () => {
    for (const flavour of ['6.49', '7.20 wifi'] as const)
      for (const isRebooted of [false, true]) {
        const { router, installation } = await start({ flavour })
        const cancelled = new AbortController()
        // Once all is set, the tool is gone for good.
        router.console.onChange = ({ menu }) => {
          if (menu !== '/user') return
          cancelled.abort(new CancelledError('SIGINT'))
          router.console.onChange = undefined
        }
        await assert.rejects(
          rotate(installation, { rollbackMs: 60_000 }, { ...workspace, signal: cancelled.signal }),
        )
        if (isRebooted) router.reboot()
        await router.console.execute(isRebooted ? ':delay 20s' : ':delay 70s')
        assert.deepEqual(onRouter(router), { ...FIRST, extra: undefined })
        assertClean(router)
        assert.equal((await reconcile(installation)).state, 'old')
        await assertInForce(installation, router)
      }
  })

  it('never confirms and undoes at once', async () => {
    const { routerosChanger } = await import('../../../src/lib/router/drivers/routeros/changer.js')
    const { openSession } = await import('../../../src/lib/ssh/session.js')
    const { Secret } = await import('../../../src/lib/secret.js')
    const { router } = await start()
    for (let run = 0; run < 5; run++) {
      const id = `race${run}`
      const logins = [{ kind: 'password' as const, password: new Secret(FIRST.password) }]
      const { address, port, hostKey } = router
      const { signal } = workspace
      const session = await openSession({ address, port, hostKey, username: 'admin', logins }, [], {
        signal,
      })
      const orders = [{ set: 'ssid', section: 'wifi1', ssid: `race ${run}` }] as const
      await routerosChanger.arm(session, { id, seconds: 300, wireless: true, accounts: [], orders })
      await routerosChanger.apply(session, { id, orders })
      const undo = router.console.execute('/system script run cleverctl-change')
      const isConfirmed = await routerosChanger.confirm(session, id)
      await undo
      const { last } = await routerosChanger.look(session, { id, salt: 'salt' })
      const ssid = router.console.named('/interface wifi configuration', 'plant')?.get('ssid')
      assert.deepEqual([last?.id, ssid === `race ${run}`], [id, last?.outcome === 'confirmed'])
      if (isConfirmed) assert.equal(last?.outcome, 'confirmed')
      session.close()
    }
  })

  it('keeps secrets out of what it leaves on the router and out of its script', async () => {
    const { router, installation } = await start()
    const sources: string[] = []
    router.console.onChange = ({ menu, named }) => {
      if (menu.startsWith('/system')) sources.push([...named.values()].map(textOf).join(' '))
    }
    await rotate(installation)
    const { password, passphrase } = await recorded(installation)
    assert.ok(sources.length > 0)
    for (const secret of [password, passphrase, FIRST.password, FIRST.passphrase])
      assert.ok(!sources.join('\n').includes(secret))
  })

  it(`ends with the old or the new secrets, ${RUNS} times in which something goes wrong at a command`, async function () {
    this.timeout(600_000 + RUNS * 10_000)
    const { seed, pick, below } = seeded()
    let struck = 0
    const places = await Promise.all(
      BOXES.map(async ([flavour, setAt]) => ({
        flavour,
        ...(await start({ flavour, ...(setAt ? { setAt } : {}) })),
      })),
    )
    for (let run = 0; run < RUNS; run++) {
      const { flavour, router, installation } = pick(places)
      const fault = pick(['reboot', 'link cut', 'killed', 'killed, reboot'] as const)
      const isOverlapping = pick([true, false])
      const what = isOverlapping
        ? (['wifi'] as const)
        : pick([['admin'], ['wifi', 'admin', 'name']] as const)
      const strikesAt = below(FEWEST_COMMANDS)
      const title = `run ${run} of SEED=${seed}: ${flavour}, ${what.join()}${isOverlapping ? ' overlapping' : ''}, ${fault} at command ${strikesAt}`
      try {
        const before = await recorded(installation)
        const cancelled = new AbortController()
        let commands = 0
        router.console.onChange = () => {
          if (commands++ !== strikesAt) return
          struck += 1
          if (fault !== 'reboot') router.cutLink()
          if (fault.startsWith('killed')) cancelled.abort(new CancelledError('SIGINT'))
          if (fault.endsWith('reboot')) router.reboot()
        }
        const choice = { what, overlapMs: isOverlapping ? 86_400_000 : undefined }
        const isDone = await rotate(installation, choice, {
          ...workspace,
          signal: cancelled.signal,
        }).then(
          () => true,
          (error: unknown) => {
            assert.ok(error instanceof ExpectedError, `not expected: ${String(error)}`)
            return false
          },
        )
        const { state } = await reconcile(installation)
        const after = await recorded(installation)
        const isNew = JSON.stringify(after) !== JSON.stringify(before)
        if (isDone) assert.ok(isNew)
        if (state !== null) assert.equal(state, isNew ? 'new' : 'old')
        await assertInForce(installation, router)
        // The same command finishes the work, and leaves nothing behind.
        router.console.onChange = undefined
        await rotate(installation, choice)
        if (isOverlapping) await reconcile(installation, true)
        await assertInForce(installation, router)
        assertClean(router)
      } catch (error) {
        throw new Error(`${title}: ${String(error)}`, { cause: error })
      }
    }
    // Else nothing went wrong, and nothing was proven.
    assert.equal(struck, RUNS)
  })
})
