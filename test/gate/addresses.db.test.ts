import assert from 'node:assert/strict'
import type { Queryable } from '../../src/lib/database/database.js'
import { selectAlternating } from '../../src/lib/device/audit/address-store.js'
import { DEFAULT_AGES } from '../../src/lib/device/audit/audit.js'
import { storableNetwork } from '../../src/lib/gate/address.js'
import { Addresses } from '../../src/lib/gate/addresses.js'
import { freshDatabase, testClock, type FreshDatabase } from '../support/database.js'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const START = new Date('2026-06-01T12:00:00Z')
const [A, B, C] = ['198.51.100.1', '203.0.113.2', '192.0.2.3']

/** Where a device is heard, so many minutes after the start, through which gate. */
type Heard = readonly [minute: number, address: string, gate?: number]

/** The same a number of times, each so many minutes later. */
const repeat = (times: number, everyMinutes: number, round: readonly Heard[]): Heard[] =>
  Array.from({ length: times }, (_, time) =>
    round.map(([minute, ...rest]): Heard => [minute + time * everyMinutes, ...rest]),
  ).flat()

describe('the addresses of devices', () => {
  let fresh: FreshDatabase
  let devices = 0

  before(async () => {
    fresh = await freshDatabase()
  })
  after(() => fresh.drop())

  async function addDevice(): Promise<string> {
    devices += 1
    const { rows } = await fresh.database.query<{ id: string }>(
      `insert into cleverctl.device (serial, model, batch, manufactured_at, secret_sha256)
       values ($1, 'CleverDx', 'B-1', '2026-01-02', sha256('x')) returning id`,
      [`CDX-${String(devices).padStart(6, '0')}`],
    )
    return rows[0]?.id ?? ''
  }

  /** Lets gates hear a device; each writes when its two seconds and five minutes are over. */
  async function hear(deviceId: string, heard: readonly Heard[]): Promise<void> {
    const clock = testClock(START)
    const gates = [0, 1].map(
      () =>
        new Addresses({
          database: fresh.database,
          clock,
          onFailure: (error) => {
            throw error
          },
          monotonic: () => clock.now().getTime(),
        }),
    )
    for (const [minute, address, gate = 0] of heard) {
      clock.set(new Date(START.getTime() + minute * MINUTE))
      for (const each of gates) await each.flush()
      gates[gate]?.add(deviceId, address)
    }
    for (const each of gates) await each.flush({ everything: true })
  }

  async function isTwin(deviceId: string): Promise<boolean> {
    const now = new Date(START.getTime() + 12 * HOUR)
    const scope = { now, ages: DEFAULT_AGES, installation: undefined, batch: undefined, limit: 100 }
    const { rows } = await selectAlternating(fresh.database, scope, HOUR)
    const { rows: devices } = await fresh.database.query<{ serial: string }>(
      'select serial from cleverctl.device where id = $1',
      [deviceId],
    )
    return rows.some(({ serial }) => serial === devices[0]?.serial)
  }

  const addressesOf = async (deviceId: string) => {
    const { rows } = await fresh.database.query<{ address: string; arrivals: string }>(
      `select abbrev(address) as address, arrivals from cleverctl.device_address where device_id = $1 order by last_at`,
      [deviceId],
    )
    return rows.map(({ address, arrivals }) => `${address} ${arrivals}`)
  }

  const cases: [name: string, heard: Heard[], want: boolean][] = [
    ['one address all the time', repeat(300, 1, [[0, A]]), false],
    [
      'two places that send every minute through one gate',
      repeat(60, 1, [
        [0, A],
        [0.5, B],
      ]),
      true,
    ],
    [
      'two places that send every minute, each through a gate of its own',
      repeat(60, 1, [
        [0, A, 0],
        [0.01, B, 1],
      ]),
      true,
    ],
    [
      'two places that send at the same moment through two gates',
      repeat(60, 1, [
        [0, A, 1],
        [0, B, 0],
      ]),
      true,
    ],
    [
      'two places that send every quarter of an hour',
      repeat(8, 15, [
        [0, A],
        [7, B],
      ]),
      true,
    ],
    [
      'a copy that shows another address every time',
      repeat(12, 5, [[0, A]]).flatMap((heard, index): Heard[] => [
        heard,
        [index * 5 + 2, `203.0.113.${index + 10}`],
      ]),
      true,
    ],
    [
      'a mobile network that gives another address every hour',
      repeat(10, 60, [
        [0, A],
        [10, A],
        [20, A],
        [30, A],
      ]).map(([minute]): Heard => [minute, `198.51.100.${Math.floor(minute / 60)}`]),
      false,
    ],
    [
      'a mobile network that goes round three addresses, one every half an hour',
      repeat(6, 90, [
        [0, A],
        [15, A],
        [30, B],
        [45, B],
        [60, C],
        [75, C],
      ]),
      false,
    ],
    [
      'a router that falls back to mobile and returns a few times in an hour',
      repeat(2, 30, [
        [0, A],
        [5, A],
        [10, B],
        [15, B],
        [20, A],
        [25, A],
      ]),
      false,
    ],
    [
      'a device that uses IPv4 and IPv6 by turns',
      repeat(60, 1, [
        [0, A],
        [0.5, '2001:db8:0:1::7'],
      ]),
      false,
    ],
    [
      'a device whose IPv6 address changes within its network',
      repeat(30, 2, [
        [0, '2001:db8:0:1::7'],
        [1, '2001:db8:0:1::8'],
      ]),
      false,
    ],
    [
      'two places with IPv6',
      repeat(60, 1, [
        [0, '2001:db8:0:1::7'],
        [0.5, '2001:db8:0:2::7'],
      ]),
      true,
    ],
  ]
  for (const [name, heard, want] of cases) {
    it(`${want ? 'tell a twin' : 'tell no twin'}: ${name}`, async () => {
      const deviceId = await addDevice()
      await hear(deviceId, heard)
      assert.equal(await isTwin(deviceId), want)
    })
  }

  it('are kept eight of a device, those used last', async () => {
    const deviceId = await addDevice()
    const heard = Array.from({ length: 12 }, (_, minute): Heard => [minute, `192.0.2.${minute}`])
    await hear(deviceId, heard)
    assert.deepEqual(
      await addressesOf(deviceId),
      heard.slice(4).map(([, address]) => `${address} 1`),
    )
  })

  it('are written at once when they are new, and then every five minutes, every arrival counted', async () => {
    const deviceId = await addDevice()
    const clock = testClock(START)
    const monotonic = () => clock.now().getTime()
    const onFailure = assert.ifError
    const addresses = new Addresses({ database: fresh.database, clock, onFailure, monotonic })
    const counts: string[][] = []
    for (let minute = 0; minute <= 5; minute += 1) {
      addresses.add(deviceId, A)
      await addresses.flush()
      counts.push(await addressesOf(deviceId))
      clock.advance(MINUTE)
    }
    assert.deepEqual(
      counts.flat(),
      [1, 1, 1, 1, 1, 6].map((count) => `${A} ${count}`),
    )
  })

  it('are not lost and not counted twice when the database is away', async () => {
    const deviceId = await addDevice()
    const clock = testClock(START)
    const failures: unknown[] = []
    let isAway = true
    const database: Queryable = {
      query: async (...words) => {
        if (isAway) throw new Error('away')
        return fresh.database.query(...words)
      },
    }
    const onFailure = (error: unknown) => void failures.push(error)
    const addresses = new Addresses({ database, clock, onFailure })
    addresses.add(deviceId, A)
    const flushing = addresses.flush()
    addresses.add(deviceId, A)
    await flushing
    isAway = false
    await addresses.flush()
    assert.equal(failures.length, 1)
    assert.deepEqual(await addressesOf(deviceId), [`${A} 2`])
  })

  it('are IPv4 addresses, networks of IPv6, and nothing else', () => {
    const cases = {
      '198.51.100.1': '198.51.100.1',
      '::ffff:198.51.100.1': '198.51.100.1',
      '2001:db8:0:1::7': '2001:db8:0:1::/64',
      '2001:db8::7': '2001:db8:0:0::/64',
      'fe80::1%eth0': 'fe80:0:0:0::/64',
      '::1': '0:0:0:0::/64',
      unix: null,
      '': null,
      ':nonsense:': null,
    }
    for (const [address, want] of Object.entries(cases))
      assert.equal(storableNetwork(address), want, address)
  })
})
