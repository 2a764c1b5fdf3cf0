import assert from 'node:assert/strict'
import {
  formatWindow,
  openingOf,
  parseWindow,
  shortestOpening,
  type Site,
} from '../../src/lib/campaign/window.js'
import { UsageError } from '../../src/lib/errors.js'

const ALMERIA: Site = { timezone: 'Europe/Madrid', latitude: 36.84, longitude: -2.46 }
const TROMSO: Site = { timezone: 'Europe/Oslo', latitude: 69.65, longitude: 18.96 }
const SOUTH_POLE: Site = { timezone: 'Antarctica/McMurdo', latitude: -90, longitude: 0 }
const APIA: Site = { timezone: 'Pacific/Apia', latitude: -13.8, longitude: -171.8 }
const KOLKATA: Site = { timezone: 'Asia/Kolkata', latitude: 22.6, longitude: 88.4 }
const QUITO: Site = { timezone: 'America/Guayaquil', latitude: 0, longitude: -78.5 }

/** `open`, or the moment at which it opens. */
function at(text: string, site: Site, now: string): string | undefined {
  const opening = openingOf(parseWindow(text), site, new Date(now))
  if (opening === undefined) return undefined
  return opening.isOpen ? 'open' : opening.opensAt.toISOString().slice(0, 16)
}

describe('a window by the clock of the site', () => {
  const cases: [name: string, window: string, site: Site, now: string, want: string][] = [
    ['is open from its beginning', '02:00-05:00', ALMERIA, '2026-06-01T00:00:00Z', 'open'],
    [
      'is closed a second before',
      '02:00-05:00',
      ALMERIA,
      '2026-05-31T23:59:59Z',
      '2026-06-01T00:00',
    ],
    ['is open a second before its end', '02:00-05:00', ALMERIA, '2026-06-01T02:59:59Z', 'open'],
    ['is closed at its end', '02:00-05:00', ALMERIA, '2026-06-01T03:00:00Z', '2026-06-02T00:00'],
    ['follows winter time', '02:00-05:00', ALMERIA, '2026-01-15T00:30:00Z', '2026-01-15T01:00'],
    ['goes over midnight, before it', '22:00-04:00', ALMERIA, '2026-06-01T21:00:00Z', 'open'],
    ['goes over midnight, after it', '22:00-04:00', ALMERIA, '2026-06-01T01:30:00Z', 'open'],
    [
      'goes over midnight, and is closed by day',
      '22:00-04:00',
      ALMERIA,
      '2026-06-01T12:00:00Z',
      '2026-06-01T20:00',
    ],
    ['knows half hours', '02:00-05:00', KOLKATA, '2026-06-01T12:00:00Z', '2026-06-01T20:30'],
    [
      'knows the far side of the date line',
      '02:00-05:00',
      APIA,
      '2026-06-01T12:00:00Z',
      '2026-06-01T13:00',
    ],
    // On 29 March 2026 the clocks go from 02:00 to 03:00: of this window nothing is there that night.
    [
      'that summer time leaves out opens a day later',
      '02:15-02:45',
      ALMERIA,
      '2026-03-28T12:00:00Z',
      '2026-03-30T00:15',
    ],
    [
      'that summer time shortens opens after the gap',
      '02:00-05:00',
      ALMERIA,
      '2026-03-28T23:30:00Z',
      '2026-03-29T01:00',
    ],
    // On 25 October 2026 the hour from 02:00 to 03:00 comes twice.
    [
      'that winter time repeats is open the first time',
      '02:15-02:45',
      ALMERIA,
      '2026-10-25T00:20:00Z',
      'open',
    ],
    [
      'that winter time repeats is open the second time',
      '02:15-02:45',
      ALMERIA,
      '2026-10-25T01:20:00Z',
      'open',
    ],
    [
      'that winter time repeats is closed between',
      '02:15-02:45',
      ALMERIA,
      '2026-10-25T00:50:00Z',
      '2026-10-25T01:15',
    ],
  ]
  for (const [name, window, site, now, want] of cases)
    it(`${name} (${window} at ${now})`, () => assert.equal(at(window, site, now), want))

  it('is not known where the machine does not know the time zone', () =>
    assert.equal(
      at('02:00-05:00', { ...ALMERIA, timezone: 'Mars/Olympus' }, '2026-06-01T00:00:00Z'),
      undefined,
    ))

  it('is written as it was read', () => {
    for (const text of ['night', '02:00-05:00', '22:00-04:30', '00:00-23:59'])
      assert.equal(formatWindow(parseWindow(text)), text)
    assert.equal(shortestOpening(parseWindow('22:00-04:30')), 6.5 * 3_600_000)
  })

  for (const text of [
    '',
    'day',
    '2-5',
    '02:00',
    '24:00-05:00',
    '02:60-05:00',
    '02:00-02:00',
    '02:00-02:14',
  ])
    it(`is not ${JSON.stringify(text)}`, () => assert.throws(() => parseWindow(text), UsageError))
})

describe('night', () => {
  // Sunset in Almeria on 1 June 2026 is at 19:22 UTC, sunrise at 04:51, by the almanac.
  it('begins at sunset, to a few minutes', () => {
    const opens = at('night', ALMERIA, '2026-06-01T12:00:00Z') ?? ''
    assert.ok(opens >= '2026-06-01T19:18' && opens <= '2026-06-01T19:26', opens)
  })

  it('ends at sunrise', () => {
    assert.equal(at('night', ALMERIA, '2026-06-02T04:40:00Z'), 'open')
    assert.notEqual(at('night', ALMERIA, '2026-06-02T05:00:00Z'), 'open')
  })

  it('is never at noon, on any day of a year, at any of these places', () => {
    for (const { longitude, ...place } of [ALMERIA, KOLKATA, QUITO, APIA]) {
      for (let day = 0; day < 365; day += 1) {
        // Noon by the sun, to a quarter of an hour.
        const noon = Date.UTC(2026, 0, 1 + day, 12) - (longitude / 15) * 3_600_000
        const opening = openingOf({ kind: 'night' }, { ...place, longitude }, new Date(noon))
        assert.equal(opening?.isOpen, false, `${place.timezone} on day ${day}`)
      }
    }
  })

  it('opens within a day at any place and time', () => {
    for (const site of [ALMERIA, TROMSO, SOUTH_POLE, APIA, KOLKATA, QUITO]) {
      for (let hour = 0; hour < 365 * 24; hour += 13) {
        const now = new Date(Date.UTC(2026, 0, 1, hour))
        const opening = openingOf({ kind: 'night' }, site, now)
        const waits = opening?.isOpen === false ? opening.opensAt.getTime() - now.getTime() : 0
        assert.ok(
          opening !== undefined && waits <= 86_400_000,
          `${site.timezone} ${now.toISOString()}`,
        )
      }
    }
  })

  it('of the midnight sun is the two hours round its lowest position', () => {
    const opens = at('night', TROMSO, '2026-06-21T12:00:00Z') ?? ''
    // The sun stands lowest at about 22:46 UTC.
    assert.ok(opens >= '2026-06-21T21:40' && opens <= '2026-06-21T21:52', opens)
    assert.equal(at('night', TROMSO, '2026-06-21T23:40:00Z'), 'open')
    assert.notEqual(at('night', TROMSO, '2026-06-21T23:55:00Z'), 'open')
  })

  it('of the polar winter is all day', () =>
    assert.equal(at('night', TROMSO, '2026-12-21T11:00:00Z'), 'open'))
})
