import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { memoryFlash, ReferenceLogger } from '../../../src/lib/demo/logger.js'
import { openUrl } from '../../support/database.js'
import type { Database } from '../../../src/lib/database/database.js'
import { homeWorkspace, spawnGate, type SpawnedGate } from '../../support/gate.js'
import { preparePlant, type TestPlant } from '../../support/plant.js'
import { until } from '../../support/until.js'
import {
  canRunRouters,
  startTestRouter,
  type Station,
  type TestRouter,
} from '../../support/router/test-router.js'
import { startServer, type TestServer } from '../../support/server.js'
import { FIRST, Plant } from './plant.js'

interface Shown {
  overlap: { loggers: number; moved: number; waiting: string[] } | null
}

const LOGGERS = 3
const INSTALLATION = 'solar-0042'

/** How loggers move: by a second passphrase, or where the router knows none, by a second Wi-Fi. */
const WAYS = ['passphrase', 'Wi-Fi'] as const

describe('a Wi-Fi passphrase that changes without a gap', () => {
  let plant: Plant
  let server: TestServer
  let owner: Database
  let fleet: TestPlant
  let gate: SpawnedGate
  let router: TestRouter
  let stations: Station[]
  let loggers: Awaited<ReturnType<typeof install>>[]
  const answers: number[] = []

  before(async function () {
    if (!canRunRouters()) return this.skip()
    // With the rights of a gate alone, which may not see what it need not hand over.
    server = await startServer()
    owner = await openUrl(server.url('owner'))
    plant = Plant.at(server.environment('owner'))
    await plant.run(['init', '--yes'])
    const workspace = await homeWorkspace({ url: server.url('owner'), database: owner }, plant.home)
    fleet = await preparePlant(owner, { workspace })
    gate = await spawnGate({
      home: plant.home,
      env: server.environment('gate'),
      args: ['--no-limits'],
    })
    router = await startTestRouter()
    stations = Array.from({ length: LOGGERS }, (_each, index) => ({
      mac: `02:00:00:00:00:0${index}`,
      ssid: FIRST.ssid,
      passphrase: FIRST.passphrase,
    }))
    router.setStations(stations)
    await plant.add(INSTALLATION, router)
    loggers = await Promise.all(stations.map(install))
  })
  after(async () => {
    await gate?.end('SIGTERM')
    await router?.stop()
    await owner?.close()
    await server?.stop()
    plant?.clear()
  })

  /** A logger that knows the Wi-Fi's secrets, and joins with whichever it is given. */
  const install = async (station: Station, index: number) => {
    const { serial, secret } = await fleet.addDevice(`CDX-00010${index}`, fleet.installation)
    const flash = memoryFlash({ serial, secret, apiKey: fleet.apiKey })
    const join = async ({ ssid, passphrase }: { ssid: string; passphrase: string }) => {
      Object.assign(station, { ssid, passphrase })
      router.setStations(stations)
      return true
    }
    const ask: ConstructorParameters<typeof ReferenceLogger>[0]['ask'] = (request) =>
      gate.client.ask(request)
    const logger = new ReferenceLogger({ ask, flash, join })
    const post = async () => {
      const answer = await logger.post((at) => [{ at, values: { powerW: 1 } }])
      answers.push(answer.status)
      return answer
    }
    return { serial, flash, post }
  }
  const onAir = async (): Promise<number> => {
    const { stdout } = await router.shell(
      `for each in $(ubus list 'hostapd.*'); do ubus call $each get_clients; done | grep -c '"authorized": *true'`,
    )
    return Number(stdout)
  }
  const overlap = async () => (await plant.json<Shown>(['router', 'show', INSTALLATION])).overlap

  for (const way of WAYS)
    it(`reaches the loggers by the gate, and the former one goes when all have moved: a second ${way}`, async () => {
      const isSecond = way === 'Wi-Fi'
      if (isSecond) await router.shell('mount -t tmpfs tmpfs /lib/netifd')
      answers.length = 0
      const [{ version } = { version: 0 }] = await plant
        .versions(INSTALLATION)
        .then((versions) =>
          versions.filter(({ kind, state }) => kind === 'wifi' && state === 'CURRENT'),
        )
      for (const { post } of loggers) assert.equal((await post()).body['credentials'], undefined)
      assert.equal(await onAir(), LOGGERS)

      await plant.json(['router', 'rotate', INSTALLATION, '--what', 'wifi', '--overlap'])
      assert.equal(await onAir(), LOGGERS, 'nobody lost the air')
      assert.equal(router.onAir().length, isSecond ? 2 : 1)
      const [first, ...others] = loggers
      assert.ok(first)
      await until(async () => (await first.post()).body['credentials'] !== undefined, 5000)
      assert.equal((await first.flash.read()).wifiVersion, version + 1)
      assert.equal((await first.post()).body['credentials'], undefined, 'it is not told twice')
      await until(async () => (await overlap())?.moved === 1, 10_000)
      assert.deepEqual(
        (await overlap())?.waiting,
        others.map(({ serial }) => serial),
      )
      assert.deepEqual(await plant.json(['router', 'reconcile']), { routers: [] })

      for (const { post } of others) for (let times = 0; times < 2; times++) await post()
      await until(async () => (await overlap())?.moved === LOGGERS, 10_000)
      assert.equal(await onAir(), LOGGERS, 'all are there with the new one')
      const { routers } = await plant.json<{ routers: { overlapEnded: boolean }[] }>([
        'router',
        'reconcile',
      ])
      assert.deepEqual(
        routers.map(({ overlapEnded }) => overlapEnded),
        [true],
      )
      await until(async () => (await onAir()) === LOGGERS && router.onAir().length === 1, 10_000)
      assert.equal(await overlap(), null)
      for (const { post } of loggers) assert.equal((await post()).body['credentials'], undefined)
      assert.deepEqual(new Set(answers), new Set([202]), 'not one reading was refused')
      const digest = createHash('sha256')
        .update(await plant.secret(INSTALLATION, 'wifi'))
        .digest('hex')
      assert.equal(router.onAir()[0]?.keyDigest, digest)
      assert.equal(router.onAir()[0]?.ssid === FIRST.ssid, !isSecond)
    })

  it('a gate sees no passphrase of a plant whose Wi-Fi does not change', async () => {
    const asGate = await openUrl(server.url('gate'))
    try {
      const { rows } = await asGate.query('select * from cleverctl.wifi_successor($1)', [
        fleet.installation.id,
      ])
      assert.deepEqual(rows, [])
      await assert.rejects(asGate.query('select sealed from cleverctl.router_credential'))
      await assert.rejects(asGate.query('select * from cleverctl.wifi_move'))
    } finally {
      await asGate.close()
    }
  })
})
