import assert from 'node:assert/strict'
import { BadReadingError, readReadings, readTime } from '../../src/lib/gate/readings.js'

const now = Date.parse('2026-11-23T10:00:00Z')

function one(at: string, values: Record<string, number> = { powerW: 1 }) {
  return readReadings({ readings: [{ at, values }] }, now)
}

describe('readings', () => {
  it('are read at the microsecond, whatever the offset', () => {
    const cases: [string, string, number][] = [
      ['2026-11-23T10:15:00Z', '2026-11-23T10:15:00.000Z', 0],
      ['2026-11-23t10:15:00z', '2026-11-23T10:15:00.000Z', 0],
      ['2026-11-23T10:15:00.5Z', '2026-11-23T10:15:00.500Z', 0],
      ['2026-11-23T10:15:00.123456Z', '2026-11-23T10:15:00.123Z', 456],
      ['2026-11-23T10:15:00.123456999Z', '2026-11-23T10:15:00.123Z', 456],
      ['2026-11-23T11:15:00+01:00', '2026-11-23T10:15:00.000Z', 0],
      ['2026-11-23T04:45:00-05:30', '2026-11-23T10:15:00.000Z', 0],
      ['2026-11-23T10:15:00-00:00', '2026-11-23T10:15:00.000Z', 0],
      ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z', 0],
      ['2016-12-31T23:59:60Z', '2017-01-01T00:00:00.000Z', 0],
      ['2026-12-31T23:30:00-01:00', '2027-01-01T00:30:00.000Z', 0],
    ]
    for (const [text, iso, micros] of cases) {
      assert.equal(readTime(text), Date.parse(iso) * 1000 + micros, text)
    }
  })

  it('need a time of RFC 3339 with an offset', () => {
    const cases = [
      ...['', 'now', '2026-11-23', '2026-11-23T10:15:00', '2026-11-23 10:15:00Z', '1764000000'],
      ...[
        '2026-11-23T10:15Z',
        '2026-11-23T24:00:00Z',
        '2026-11-23T10:60:00Z',
        '2026-11-23T10:15:61Z',
      ],
      ...[
        '2026-13-01T00:00:00Z',
        '2026-00-01T00:00:00Z',
        '2026-02-29T00:00:00Z',
        '2026-04-31T00:00:00Z',
      ],
      ...['2026-11-00T00:00:00Z', '2026-11-23T10:15:00+24:00', '2026-11-23T10:15:00+01:60'],
      ...['2026-11-23T10:15:00.Z', '2026-11-23T10:15:00+0100', '+02026-11-23T10:15:00Z'],
      ...[
        '2026-11-23T10:15:00Z ',
        '2026-11-23T10:15:00Z\n',
        '0026-11-23T10:15:00Z',
        '２026-11-23T10:15:00Z',
      ],
    ]
    for (const text of cases) assert.equal(readTime(text), undefined, JSON.stringify(text))
  })

  it('are taken from 400 days ago to an hour ahead', () => {
    assert.equal(one('2026-11-23T11:00:00Z').length, 1)
    assert.throws(() => one('2026-11-23T11:00:00.000001Z'), BadReadingError)
    const oldest = new Date(now - 400 * 86_400_000).toISOString()
    assert.equal(one(oldest).length, 1)
    assert.throws(() => one(new Date(Date.parse(oldest) - 1).toISOString()), BadReadingError)
    assert.throws(() => one('9999-12-31T23:59:59Z'), /more than an hour in the future/)
  })

  it('have names that can be read', () => {
    const good = [
      'powerW',
      'power W',
      '°C',
      'η',
      '電圧',
      '__proto__',
      'constructor',
      '🔆'.repeat(64),
    ]
    for (const name of good) {
      const values = JSON.parse(`{${JSON.stringify(name)}: 1}`) as Record<string, number>
      assert.equal(one('2026-11-23T10:00:00Z', values).length, 1, name)
    }
    const bad = [
      '',
      'a\u0000b',
      'a\nb',
      '\ud800',
      '\u200b',
      '\uffff',
      'x'.repeat(65),
      '°'.repeat(65),
    ]
    for (const name of bad) {
      assert.throws(
        () => one('2026-11-23T10:00:00Z', { [name]: 1 }),
        /printable/,
        JSON.stringify(name),
      )
    }
  })

  it('name the place of a fault, not the value', () => {
    assert.throws(
      () =>
        readReadings(
          {
            readings: [
              { at: '2026-11-23T10:00:00Z', values: { a: 1 } },
              { at: 'my secret', values: { a: 1 } },
            ],
          },
          now,
        ),
      { message: 'readings[1].at is no RFC 3339 time with an offset' },
    )
  })
})
