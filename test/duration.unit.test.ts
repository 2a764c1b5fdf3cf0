import assert from 'node:assert/strict'
import { formatDuration, parseDuration } from '../src/lib/duration.js'
import { UsageError } from '../src/lib/errors.js'

describe('durations', () => {
  const CASES: [string, number][] = [
    ['0', 0],
    ['250ms', 250],
    ['5s', 5000],
    ['90s', 90_000],
    ['15m', 900_000],
    ['24h', 86_400_000],
    ['14d', 1_209_600_000],
    ['36500d', 3_153_600_000_000],
  ]
  for (const [text, milliseconds] of CASES)
    it(`${text} is ${milliseconds} ms`, () => assert.equal(parseDuration(text), milliseconds))

  for (const text of [
    '',
    '5',
    '-5s',
    '1.5h',
    '5 s',
    '5S',
    '1w',
    '1h30m',
    '36501d',
    '999999999d',
    '9'.repeat(12) + 's',
    's',
  ])
    it(`"${text}" is refused, without being repeated`, () =>
      assert.throws(
        () => parseDuration(text),
        (error) => error instanceof UsageError && error.code === 'bad-duration',
      ))

  const WRITTEN: [number, string][] = [
    [0, '0'],
    [1, '1ms'],
    [90_000, '90s'],
    [5_400_000, '90m'],
    [86_400_000, '1d'],
  ]
  for (const [milliseconds, text] of WRITTEN)
    it(`${milliseconds} ms is written ${text} and read back`, () => {
      assert.equal(formatDuration(milliseconds), text)
      assert.equal(parseDuration(text), milliseconds)
    })
})
