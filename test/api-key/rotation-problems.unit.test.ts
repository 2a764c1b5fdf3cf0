import assert from 'node:assert/strict'
import { rotationProblems } from '../../src/lib/api-key/rotation-problems.js'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const now = new Date('2026-06-15T12:00:00Z')
const near = { deadlineMs: 3 * DAY, expiryMs: 14 * DAY }
const after = (ms: number) => new Date(now.getTime() + ms)

const current = (version: number, expiresAt: Date | null = null) => ({
  keyId: 'k7Qd2XbA',
  version,
  createdAt: after(-10 * DAY),
  expiresAt,
})
const former = (graceUntil: Date) => ({
  keyId: 'formerX1',
  version: 1,
  graceUntil,
  adoptionPercent: null,
  adoptionFrom: null,
})
const plant: Parameters<typeof rotationProblems>[0] = {
  current: current(2),
  former: [],
  pendingKeyId: null,
  devices: 3,
  adopted: 3,
}

describe('what is wrong with the keys of an installation', () => {
  const cases: {
    name: string
    given: Partial<typeof plant>
    want: string[]
  }[] = [
    { name: 'all devices have the new key', given: {}, want: [] },
    {
      name: 'the former key has time left',
      given: { former: [former(after(4 * DAY))], adopted: 1 },
      want: [],
    },
    {
      name: 'the former key ends in three days',
      given: { former: [former(after(3 * DAY))], adopted: 2 },
      want: ['deadline-near'],
    },
    {
      name: 'half of a short overlap is left',
      given: {
        current: { ...current(2), createdAt: after(-12 * HOUR) },
        former: [former(after(12 * HOUR))],
        adopted: 2,
      },
      want: ['deadline-near'],
    },
    {
      name: 'more than half of a short overlap is left',
      given: {
        current: { ...current(2), createdAt: after(-11 * HOUR) },
        former: [former(after(13 * HOUR))],
        adopted: 2,
      },
      want: [],
    },
    {
      name: 'the former key ends soon, and nobody needs it',
      given: { former: [former(after(HOUR))], adopted: 3 },
      want: [],
    },
    { name: 'one was left behind', given: { adopted: 2 }, want: ['deadline-passed'] },
    {
      name: 'the first key replaced none',
      given: { current: current(1), adopted: 0 },
      want: [],
    },
    {
      name: 'the key expires in two weeks',
      given: { current: current(2, after(14 * DAY)) },
      want: ['expires-soon'],
    },
    {
      name: 'the key expires later',
      given: { current: current(2, after(14 * DAY + 1)) },
      want: [],
    },
    { name: 'the key expires now', given: { current: current(1, now) }, want: ['expired'] },
    {
      name: 'the key has expired, and one was left behind',
      given: { current: current(2, after(-1)), adopted: 0 },
      want: ['expired', 'deadline-passed'],
    },
    { name: 'no key', given: { current: null, adopted: 0 }, want: ['no-current-key'] },
    { name: 'no key and no device', given: { current: null, devices: 0, adopted: 0 }, want: [] },
  ]
  for (const { name, given, want } of cases) {
    it(`${name}: ${want.join(', ') || 'nothing'}`, () => {
      assert.deepEqual(rotationProblems({ ...plant, ...given }, now, near), want)
    })
  }
})
