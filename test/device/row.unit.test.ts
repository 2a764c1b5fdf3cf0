import assert from 'node:assert/strict'
import { UsageError } from '../../src/lib/errors.js'
import { DeviceRowReader } from '../../src/lib/device/row.js'
import { isLabel, isSerial, parseSerial, readManufacturedAt } from '../../src/lib/device/types.js'

const NOW = new Date('2026-06-01T12:00:00Z')

describe('serials', () => {
  const good = ['CDX-000123', 'abc', '0.1_a-', 'x'.repeat(40)]
  const bad = [
    '',
    'ab',
    'x'.repeat(41),
    '-CDX1',
    '=CDX1',
    'CDX 1',
    ' CDX1',
    'CDX1\n',
    'CDX,1',
    "CDX'; drop table cleverctl.device; --",
    'CDX\u0000',
    'СDX-1', // the first letter is Cyrillic
    'CDX%2F',
    '../../etc',
  ]
  for (const text of good) it(`takes ${text}`, () => assert.equal(parseSerial(text), text))
  for (const text of bad) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.equal(isSerial(text), false)
      assert.throws(() => parseSerial(text), UsageError)
    })
  }
})

describe('names of models and batches', () => {
  const good = [
    'CleverDx',
    'B-2026-11',
    'Größe 2 (rev. B)',
    '太陽',
    '1',
    'x'.repeat(100),
    'a\\b',
    "a'b",
  ]
  const bad = [
    '',
    ' a',
    'a ',
    'x'.repeat(101),
    '=1+1',
    '@cmd',
    '-1',
    '+1',
    'a\tb',
    'a\nb',
    'a\u0000',
    '\ud800',
    'a\u202eb',
  ]
  for (const text of good) it(`take ${text}`, () => assert.equal(isLabel(text), true))
  for (const text of bad)
    it(`refuse ${JSON.stringify(text)}`, () => assert.equal(isLabel(text), false))
})

describe('the time of manufacture', () => {
  const table: [text: string, want: string][] = [
    ['2026-01-31', '2026-01-31T00:00:00.000Z'],
    ['2024-02-29', '2024-02-29T00:00:00.000Z'],
    ['2026-01-31T08:30:00Z', '2026-01-31T08:30:00.000Z'],
    ['2026-01-31t08:30:00z', '2026-01-31T08:30:00.000Z'],
    ['2026-01-31T08:30:00+02:00', '2026-01-31T06:30:00.000Z'],
    ['2026-01-31T08:30:00.123456789Z', '2026-01-31T08:30:00.123Z'],
    ['2026-06-01T12:04:00Z', '2026-06-01T12:04:00.000Z'],
    ['2026-06-02', '2026-06-02T00:00:00.000Z'], // it is tomorrow already where the sun rises
    ['2026-06-01T12:06:00Z', 'future-date'],
    ['2026-06-03', 'future-date'],
    ['2099-01-01', 'future-date'],
    ['1970-01-01', 'bad-date'],
    ['0000-01-01', 'bad-date'],
    ['2026-02-29', 'bad-date'],
    ['2026-02-30', 'bad-date'],
    ['2026-04-31', 'bad-date'],
    ['2026-13-01', 'bad-date'],
    ['2026-00-10', 'bad-date'],
    ['2026-01-00', 'bad-date'],
    ['2026-01-31T24:00:00Z', 'bad-date'],
    ['2026-01-31T08:60:00Z', 'bad-date'],
    ['2026-01-31T08:30:00', 'bad-date'],
    ['2026-01-31 08:30:00Z', 'bad-date'],
    ['2026-01-31T08:30Z', 'bad-date'],
    ['31.01.2026', 'bad-date'],
    ['1769848200', 'bad-date'],
    ['now', 'bad-date'],
    ['infinity', 'bad-date'],
    ['2026-01-31\n', 'bad-date'],
  ]
  for (const [text, want] of table) {
    it(`reads ${JSON.stringify(text)} as ${want}`, () => {
      const got = readManufacturedAt(text, NOW.getTime())
      assert.equal(typeof got === 'number' ? new Date(got).toISOString() : got.code, want)
    })
  }
})

describe('a row of a factory file', () => {
  const reader = new DeviceRowReader(NOW)
  const read = (values: string[]) => reader.read({ line: 2, raw: values.join(','), values })

  it('becomes a device, its time as PostgreSQL stores it', () => {
    const times: [string, string][] = [
      ['2026-01-31', '2026-01-31T00:00:00Z'],
      ['2026-01-31T08:30:00+02:00', '2026-01-31T08:30:00+02:00'],
      ['2026-01-31T08:30:00.123456Z', '2026-01-31T08:30:00.123Z'],
    ]
    for (const [text, sql] of times) {
      const row = read(['CDX-000123', 'CleverDx', 'B-1', text])
      assert.ok('serial' in row && 'manufacturedAtSql' in row)
      assert.equal(row.manufacturedAtSql, sql)
      assert.equal(row.manufacturedAt, Date.parse(sql))
    }
  })

  const table: [values: string[], code: string, reason?: RegExp][] = [
    [['', 'CleverDx', 'B-1', '2026-01-01'], 'missing-field', /^serial is empty/],
    [['CDX-1', '', 'B-1', '2026-01-01'], 'missing-field', /^model is empty/],
    [['CDX-1', 'CleverDx', '', '2026-01-01'], 'missing-field', /^batch is empty/],
    [['CDX-1', 'CleverDx', 'B-1', ''], 'missing-field', /^manufacturedAt is empty/],
    [['no serial', 'CleverDx', 'B-1', '2026-01-01'], 'bad-serial'],
    [['CDX-1', '=cmd', 'B-1', '2026-01-01'], 'bad-model'],
    [['CDX-1', 'CleverDx', 'B\t1', '2026-01-01'], 'bad-batch'],
    [['CDX-1', 'CleverDx', 'B-1', '2099-01-01'], 'future-date'],
  ]
  for (const [values, code, reason = /./] of table) {
    it(`is refused as ${code}: ${JSON.stringify(values)}`, () => {
      const row = read(values)
      assert.ok('code' in row)
      assert.equal(row.code, code)
      assert.match(row.reason, reason)
      assert.equal(row.serial, values[0])
    })
  }
})
