import assert from 'node:assert/strict'
import type { DeviceRow } from '../../src/lib/device/row.js'
import { DeviceIdSet, siftDevices, type KnownDevice } from '../../src/lib/device/sift.js'
import { parseSerial } from '../../src/lib/device/types.js'

const row = (line: number, serial: string, changed: Partial<DeviceRow> = {}): DeviceRow => ({
  line,
  raw: `row ${line}`,
  serial: parseSerial(serial),
  model: 'CleverDx',
  batch: 'B-1',
  manufacturedAt: 1000,
  manufacturedAtSql: '',
  ...changed,
})
const known = (id: number, changed: Partial<KnownDevice> = {}): KnownDevice => ({
  id,
  model: 'CleverDx',
  batch: 'B-1',
  manufacturedAt: 1000,
  isOfThisRun: false,
  ...changed,
})

const table: {
  name: string
  rows: DeviceRow[]
  known?: [string, KnownDevice][]
  isTimeGiven?: boolean
  want: { fresh?: string[]; unchanged?: number; rejected?: [number, string][] }
}[] = [
  { name: 'a new device', rows: [row(1, 'AAA')], want: { fresh: ['AAA'] } },
  {
    name: 'a new device named twice',
    rows: [row(1, 'AAA'), row(2, 'AAA')],
    want: { fresh: ['AAA'], rejected: [[2, 'duplicate-serial']] },
  },
  {
    name: 'a known one',
    rows: [row(1, 'AAA')],
    known: [['AAA', known(1)]],
    want: { unchanged: 1 },
  },
  {
    name: 'a known one named twice',
    rows: [row(1, 'AAA'), row(2, 'AAA')],
    known: [['AAA', known(1)]],
    want: { unchanged: 1, rejected: [[2, 'duplicate-serial']] },
  },
  {
    name: 'one that an earlier chunk of this run registered',
    rows: [row(1, 'AAA')],
    known: [['AAA', known(9, { isOfThisRun: true })]],
    want: { rejected: [[1, 'duplicate-serial']] },
  },
  ...(['model', 'batch'] as const).map((field) => ({
    name: `one known with another ${field}`,
    rows: [row(1, 'AAA', { [field]: 'other' })],
    known: [['AAA', known(1)]] as [string, KnownDevice][],
    want: { rejected: [[1, 'registered-differently']] as [number, string][] },
  })),
  {
    name: 'one known with another time',
    rows: [row(1, 'AAA', { manufacturedAt: 1001 })],
    known: [['AAA', known(1)]],
    want: { rejected: [[1, 'registered-differently']] },
  },
  {
    name: 'one known with another time, where the time is a default',
    rows: [row(1, 'AAA', { manufacturedAt: 1001 })],
    known: [['AAA', known(1)]],
    isTimeGiven: false,
    want: { unchanged: 1 },
  },
  {
    name: 'serials that differ in case as different devices',
    rows: [row(1, 'AAA'), row(2, 'aaa')],
    want: { fresh: ['AAA', 'aaa'] },
  },
  {
    name: 'serials that are names of an object',
    rows: [row(1, '0__proto__'), row(2, 'constructor'), row(3, 'toString')],
    want: { fresh: ['0__proto__', 'constructor', 'toString'] },
  },
]

describe('sifting rows', () => {
  for (const { name, rows, known: registered = [], isTimeGiven = true, want } of table) {
    it(`recognises ${name}`, () => {
      const got = siftDevices(rows, new Map(registered), new DeviceIdSet(), isTimeGiven)
      assert.deepEqual(
        {
          fresh: got.fresh.map(({ serial }) => serial),
          unchanged: got.unchanged,
          rejected: got.rejected.map(({ line, code }) => [line, code]),
        },
        { fresh: [], unchanged: 0, rejected: [], ...want },
      )
    })
  }

  it('recognises a known device that an earlier chunk named', () => {
    const met = new DeviceIdSet()
    const registered = new Map([['AAA', known(70_000)]])
    assert.equal(siftDevices([row(1, 'AAA')], registered, met, true).unchanged, 1)
    const again = siftDevices([row(9, 'AAA')], registered, met, true)
    assert.deepEqual(
      again.rejected.map(({ line, code }) => [line, code]),
      [[9, 'duplicate-serial']],
    )
  })
})

describe('the set of devices met', () => {
  it('knows each id once, whatever its size', () => {
    const met = new DeviceIdSet()
    const ids = [0, 1, 7, 8, 32_767, 32_768, 1_000_000, 2 ** 40, 2 ** 40 + 1]
    for (const id of ids) assert.equal(met.add(id), true, String(id))
    for (const id of ids) assert.equal(met.add(id), false, String(id))
    assert.equal(met.add(2), true)
  })
})
