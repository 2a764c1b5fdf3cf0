/** `npm run demo:routers`: the story of a handful of routers, told with the real program. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { FIRST, Plant } from '../test/router/rotation/plant.js'
import { stopSharedCluster } from '../test/support/database.js'
import { stopMachines } from '../test/support/router/machine.js'
import {
  canRunRouters,
  startTestRouter,
  type TestRouter,
} from '../test/support/router/test-router.js'
import { playStory, report, SCREEN, show as showCommand, tell, type Step } from './story.js'

const STATION = { mac: '02:00:00:00:00:01', ssid: FIRST.ssid }

/** What plays: the program with its database, and routers by the code of their installation. */
interface Cast {
  plant: Plant
  router: (installation: string) => TestRouter
}

const story: readonly Step<Cast>[] = [
  {
    title: 'Four routers, set up by hand: a check finds that they share their secrets',
    play: async ({ plant }) => {
      const { stdout } = await show(plant, ['router', 'check', '--all'], 8)
      assert.equal(stdout.match(/shared-secret/g)?.length, 8)
    },
  },
  {
    title: 'Every router gets a password, a passphrase and a Wi-Fi name of its own',
    play: async ({ plant, router }) => {
      await show(plant, ['router', 'rotate', '--all', '--what', 'admin,wifi,name', '--yes'])
      for (const installation of INSTALLATIONS)
        await plant.assertInForce(installation, router(installation))
      await show(plant, ['router', 'check', '--all'])
    },
  },
  {
    title: 'The link is cut in the middle of a rotation: the router goes back by itself',
    play: async ({ plant, router }) => {
      const far = router('solar-4')
      const words = [
        'router',
        'rotate',
        'solar-4',
        '--what',
        'admin,wifi',
        '--rollback-after',
        '5s',
      ]
      const rotation = plant.run(words, { screen: SCREEN })
      await until(() => far.readFlash('etc/cleverctl/open/armed') !== undefined)
      await far.cutLink()
      tell('    (the cable is cut while the router is armed)')
      report(words, await rotation)
      await until(() => far.readFlash('etc/cleverctl/open/id') === undefined)
      tell('    (the router has undone the change, with nobody to tell it so)')
      await far.plugLink()
      const { stdout } = await show(plant, ['router', 'reconcile', 'solar-4'])
      assert.match(stdout, /old/i)
      await plant.assertInForce('solar-4', far)
    },
  },
  {
    title: 'Somebody changes a passphrase by hand, and is found',
    play: async ({ plant, router }) => {
      await router('solar-2').shell(
        'uci set wireless.default_radio0.key=changed-by-hand; uci commit wireless; wifi reload',
      )
      const { stdout } = await show(plant, ['router', 'check', 'solar-2'], 8)
      assert.match(stdout, /wifi-key-changed/)
      // Not overwritten unasked.
      await show(plant, ['router', 'rotate', 'solar-2', '--what', 'wifi'], 6)
      await show(plant, ['router', 'rotate', 'solar-2', '--what', 'wifi', '--overwrite'])
      await plant.assertInForce('solar-2', router('solar-2'))
    },
  },
  {
    title: 'A new passphrase without a gap: the old one works until the logger has moved',
    play: async ({ plant, router }) => {
      const { ssid = '' } = router('solar-1').onAir()[0] ?? {}
      const former = await plant.secret('solar-1', 'wifi')
      router('solar-1').setStations([{ ...STATION, ssid, passphrase: former }])
      await show(plant, ['router', 'rotate', 'solar-1', '--what', 'wifi', '--overlap'])
      assert.equal(await stations(router('solar-1')), 1)
      const next = await plant.secret('solar-1', 'wifi')
      assert.notEqual(next, former)
      router('solar-1').setStations([{ ...STATION, ssid, passphrase: next }])
      assert.equal(await stations(router('solar-1')), 1)
      tell('    (the logger was on air with the old passphrase, and is with the new one)')
      await show(plant, ['router', 'reconcile', 'solar-1', '--end-overlap'])
      await until(async () => (await stations(router('solar-1'))) === 1)
      await plant.assertInForce('solar-1', router('solar-1'))
    },
  },
  {
    title: "The label for the plant's door",
    play: async ({ plant }) => {
      await show(plant, ['router', 'qr', 'solar-1'])
    },
  },
]

const INSTALLATIONS = ['solar-1', 'solar-2', 'solar-3', 'solar-4']

/** Runs a command that must end with `code`, and shows what it says. */
const show = (plant: Plant, words: readonly string[], code = 0) =>
  showCommand((line) => plant.run(line, { screen: SCREEN }), words, code)

async function stations(router: TestRouter): Promise<number> {
  const { stdout } = await router.shell(
    "for each in $(ubus list 'hostapd.*'); do ubus call $each get_clients; done",
  )
  return stdout.match(/"authorized": true/g)?.length ?? 0
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 120_000
  while (!(await isSo())) {
    assert.ok(Date.now() < end, 'it does not come about')
    await sleep(50)
  }
}

async function main(): Promise<void> {
  assert.ok(
    canRunRouters(),
    'this takes root, and the packages that scripts/prepare-machine.sh installs',
  )
  const plant = await Plant.make(INSTALLATIONS.length)
  try {
    const started = await Promise.all([
      startTestRouter(),
      startTestRouter({ radios: 2 }),
      startTestRouter({ driver: 'rutos' }),
      startTestRouter({ network: 'cable' }),
    ])
    const routers = new Map(INSTALLATIONS.map((code, index) => [code, started[index]]))
    const router = (code: string) => routers.get(code) as TestRouter
    for (const code of INSTALLATIONS)
      await plant.add(code, router(code), code === 'solar-3' ? 'rutos' : 'openwrt')
    await playStory(story, { plant, router })
  } finally {
    await stopMachines()
    await plant.remove()
    await stopSharedCluster()
  }
}

await main()
