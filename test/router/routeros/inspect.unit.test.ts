import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { RouterState } from '../../../src/lib/router/drivers/inspector.js'
import { inspectRouteros } from '../../../src/lib/router/drivers/routeros/inspect.js'
import { openSession } from '../../../src/lib/ssh/session.js'
import { Secret } from '../../../src/lib/secret.js'
import { FIRST } from '../rotation/plant.js'
import {
  startTestRouteros,
  type RosBox,
  type TestRouteros,
} from '../../support/routeros/test-routeros.js'
import type { Flavour } from '../../support/routeros/menus.js'

const SALT = 'salt0123'
const digest = (text: string) => createHash('sha256').update(SALT).update(text).digest('hex')

describe('the state of a RouterOS router', () => {
  const routers: TestRouteros[] = []
  const start = async (box: RosBox) => {
    const router = await startTestRouteros(box)
    routers.push(router)
    return router
  }
  const inspect = async ({ address, port, hostKey }: TestRouteros): Promise<RouterState> => {
    const { signal } = new AbortController()
    const logins = [{ kind: 'password' as const, password: new Secret(FIRST.password) }]
    const session = await openSession({ address, port, hostKey, username: 'admin', logins }, [], {
      signal,
    })
    try {
      return await inspectRouteros(session, SALT)
    } finally {
      session.close()
    }
  }
  afterEach(async () => {
    await Promise.all(routers.splice(0).map((router) => router.stop()))
  })

  const FLAVOURS: [Flavour, RosBox['setAt'], string][] = [
    ['6.49', undefined, 'off'],
    ['7.12 wireless', undefined, 'off'],
    ['7.12 wifiwave2', 'security', 'optional'],
    ['7.16 wifi', 'configuration', 'optional'],
    ['7.20 wifi', 'interface', 'optional'],
  ]
  for (const [flavour, setAt, pmf] of FLAVOURS)
    it(`is read from ${flavour}, with passphrases from the ${setAt ?? 'profile'}`, async () => {
      const router = await start({ flavour, ...(setAt ? { setAt } : {}) })
      router.console.add(`${router.menu} registration-table`, { interface: 'wifi1' })
      assert.deepEqual(await inspect(router), {
        firmware: { name: 'RouterOS', version: `${flavour.split(' ')[0]} (stable)` },
        hostname: 'MikroTik',
        labels: ['48:a9:8a:00:11:22', 'HXX08A1B2C3'],
        accessPoints: [
          {
            section: 'wifi1',
            radio: 'wifi1',
            ssid: FIRST.ssid,
            isOn: true,
            encryption: 'psk2',
            pmf,
            wps: false,
            keyDigest: digest(FIRST.passphrase),
            isOnAir: true,
            stations: 1,
          },
        ],
        others: [],
        extras: [],
        ssh: [{ port: 22, takesPasswords: true }],
        authorizedKeys: [],
        accounts: [{ name: 'admin', password: 'unseen' }],
        change: undefined,
        staged: [],
        flash: { freeKiB: 81_920, totalKiB: 131_072 },
        unseen: ['the passwords of its accounts', 'the fingerprints of its authorized keys'],
      })
    })

  it('has odd names and passphrases right, and what a passphrase of its own overrides', async () => {
    const ssid = 'a "b" \\d $e ?f +g'
    const passphrase = `it's "a" \\ $KEY ?1 `
    const router = await start({ ssid, passphrase, setAt: 'security' })
    const { console } = router
    const [first] = (await inspect(router)).accessPoints
    assert.deepEqual([first?.ssid, first?.keyDigest], [ssid, digest(passphrase)])
    console.named('/interface wifi', 'wifi1')?.set('security.passphrase', 'inline-passphrase')
    const [second] = (await inspect(router)).accessPoints
    assert.equal(second?.keyDigest, digest('inline-passphrase'))
  })

  it('tells links, switched-off radios, other passphrases and weak settings', async () => {
    const router = await start({ points: ['wifi1', 'wifi2', 'wifi3'] })
    const { console, menu } = router
    console.named(menu, 'wifi2')?.set('configuration.mode', 'station')
    console.named(menu, 'wifi3')?.set('disabled', true)
    console.deadRadios.add('wifi1')
    const profile = console.named(`${menu} security`, 'plant')
    profile?.set('wps', '')
    profile?.set('encryption', 'tkip,ccmp')
    console.add(`${menu} access-list`, {
      'mac-address': '02:00:00:00:00:09',
      passphrase: 'private-1',
    })
    console.add(`${menu} security multi-passphrase`, { group: 'g', passphrase: 'another-1' })
    console.add(`${menu} security multi-passphrase`, { group: 'g', passphrase: FIRST.passphrase })
    const state = await inspect(router)
    assert.deepEqual(state.others, [{ section: 'wifi2', mode: 'station' }])
    assert.deepEqual(
      state.accessPoints.map(({ section, isOn, isOnAir, wps, encryption }) => [
        ...[section, isOn, isOnAir, wps, encryption],
      ]),
      [
        ['wifi1', true, false, true, 'psk2+tkip'],
        ['wifi3', false, false, true, 'psk2+tkip'],
      ],
    )
    assert.deepEqual(
      state.extras.map(({ mac, keyDigest }) => [mac, keyDigest]),
      [
        ['02:00:00:00:00:09', digest('private-1')],
        [undefined, digest('another-1')],
      ],
    )
  })

  it('knows WPA3, open Wi-Fi and the older kinds of WPA', async () => {
    const read = async (flavour: Flavour, authenticationTypes: string) => {
      const router = await start({ flavour, authenticationTypes })
      const [point] = (await inspect(router)).accessPoints
      return [point?.encryption, point?.pmf]
    }
    assert.deepEqual(await read('7.20 wifi', 'wpa2-psk,wpa3-psk'), ['sae-mixed', 'optional'])
    assert.deepEqual(await read('7.20 wifi', 'wpa3-psk'), ['sae', 'required'])
    assert.deepEqual(await read('7.20 wifi', ''), ['none', 'off'])
    assert.deepEqual(await read('6.49', 'wpa-psk,wpa2-psk'), ['psk-mixed', 'off'])
  })

  it('fails where passphrases are hidden from the user: nothing is called good then', async () => {
    const router = await start({})
    router.console.policies = ['read', 'write', 'policy', 'test']
    await assert.rejects(inspect(router), /not enough permissions/)
  })

  it('fails on half an answer', async () => {
    const router = await start({})
    router.console.execute = async () => '+resource\r\nversion 7.20\r\n'
    await assert.rejects(inspect(router), /the answer has no end/)
  })
})
