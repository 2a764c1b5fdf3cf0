import { deepEqual, equal } from 'node:assert/strict'
import { readPosition } from '../../src/lib/placement/types.js'

const good: [name: string, value: unknown, want: unknown][] = [
  ['a line of text', ' roof, east string ', 'roof, east string'],
  ['text in any script', 'tejado – 屋根', 'tejado – 屋根'],
  ['200 characters', 'x'.repeat(200), 'x'.repeat(200)],
  ['a point', { latitude: 36.84, longitude: -2.46 }, { latitude: 36.84, longitude: -2.46 }],
  [
    'a point with its accuracy',
    { latitude: -90, longitude: 180, accuracyMetres: 4.5 },
    { latitude: -90, longitude: 180, accuracyMetres: 4.5 },
  ],
]

const bad: [name: string, value: unknown][] = [
  ['nothing', undefined],
  ['null', null],
  ['a number', 5],
  ['blanks', '   '],
  ['201 characters', 'x'.repeat(201)],
  ['two lines', 'roof\nattic'],
  ['a NUL, which PostgreSQL cannot hold', 'roof\0'],
  ['half a surrogate pair, which jsonb cannot hold', 'roof\ud800'],
  ['a list', [36.84, -2.46]],
  ['half a point', { latitude: 36.84 }],
  ['a latitude beyond the pole', { latitude: 90.1, longitude: 0 }],
  ['a longitude beyond the date line', { latitude: 0, longitude: 180.1 }],
  ['a latitude that is no number', { latitude: Number.NaN, longitude: 0 }],
  ['a negative accuracy', { latitude: 0, longitude: 0, accuracyMetres: -1 }],
  ['a latitude in words', { latitude: '36.84', longitude: -2.46 }],
  ['anything more', { latitude: 0, longitude: 0, note: 'x' }],
]

describe('a position', () => {
  for (const [name, value, want] of good) {
    it(`may be ${name}`, () => deepEqual(readPosition(value), want))
  }
  for (const [name, value] of bad) {
    it(`may not be ${name}`, () => equal(readPosition(value), undefined))
  }
})
