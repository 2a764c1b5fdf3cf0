import { deepEqual } from 'node:assert/strict'
import {
  decidePlacement,
  type PlacementDecision,
  type PlacementFacts,
} from '../../src/lib/placement/decide.js'

const NOW = new Date('2024-06-15T10:00:00Z')
const MADE = new Date('2024-01-01T00:00:00Z')
const before = (seconds: number): Date => new Date(NOW.getTime() - seconds * 1000)

const sound: PlacementFacts = {
  installer: { email: 'installer@example.com', disabledAt: null },
  installation: { id: '7', retiredAt: null },
  isAssigned: true,
  device: { id: '3', manufacturedAt: MADE, revokedAt: null },
  latest: undefined,
}
const open = (installation: string): PlacementFacts['latest'] => ({
  id: '9',
  installation,
  from: before(1000),
})
const closed = (until: Date): PlacementFacts['latest'] => ({
  id: '9',
  installation: 'solar-0001',
  from: before(100_000),
  until,
})
const placed = (at: Date): PlacementDecision => ({
  decision: 'place',
  deviceId: '3',
  installationId: '7',
  at,
})
const refused = (code: string): unknown => ({ decision: 'refused', code })

const table: [name: string, facts: Partial<PlacementFacts>, at: Date | undefined, want: unknown][] =
  [
    ['a sound report places the device now', {}, undefined, placed(NOW)],
    [
      'a report from yesterday places it since yesterday',
      {},
      before(86_400),
      placed(before(86_400)),
    ],
    [
      'an unknown installer is refused',
      { installer: undefined },
      undefined,
      refused('installer-unknown'),
    ],
    [
      'a disabled installer is refused',
      { installer: { email: 'installer@example.com', disabledAt: before(1) } },
      undefined,
      refused('installer-disabled'),
    ],
    [
      'an unknown installation is refused',
      { installation: undefined, isAssigned: false },
      undefined,
      refused('installation-unknown'),
    ],
    [
      'an installer without assignment is refused',
      { isAssigned: false },
      undefined,
      refused('not-assigned'),
    ],
    [
      'a retired installation is refused',
      { installation: { id: '7', retiredAt: before(1) } },
      undefined,
      refused('installation-retired'),
    ],
    [
      'a device that was never made is refused',
      { device: undefined },
      undefined,
      refused('device-unknown'),
    ],
    [
      'a revoked device is refused',
      { device: { id: '3', manufacturedAt: MADE, revokedAt: before(1) } },
      undefined,
      refused('device-revoked'),
    ],
    [
      'a revoked device is refused although it stands there',
      {
        device: { id: '3', manufacturedAt: MADE, revokedAt: before(1) },
        latest: open('solar-0042'),
      },
      undefined,
      refused('device-revoked'),
    ],
    [
      'the same report again changes nothing',
      { latest: open('solar-0042') },
      undefined,
      { decision: 'unchanged', placementId: '9', at: before(1000) },
    ],
    [
      'the same report with another time changes nothing',
      { latest: open('solar-0042') },
      before(5),
      { decision: 'unchanged', placementId: '9', at: before(1000) },
    ],
    [
      'a device that stands elsewhere is a conflict',
      { latest: open('solar-0001') },
      undefined,
      { decision: 'conflict', code: 'stands-elsewhere', installation: 'solar-0001' },
    ],
    ['a phone 60 s ahead is believed and means now', {}, before(-60), placed(NOW)],
    ['a phone more than 60 s ahead is refused', {}, before(-60.001), refused('at-in-future')],
    ['the moment of manufacture is the earliest', {}, MADE, placed(MADE)],
    [
      'a time before manufacture is refused',
      {},
      new Date(MADE.getTime() - 1),
      refused('at-before-manufacture'),
    ],
    [
      'a device may be placed again at the moment it was removed',
      { latest: closed(NOW) },
      NOW,
      placed(NOW),
    ],
    [
      'a phone up to 60 s behind the removal means the removal',
      { latest: closed(before(10)) },
      before(70),
      placed(before(10)),
    ],
    [
      'a time well before the removal is a conflict',
      { latest: closed(before(10)) },
      before(70.001),
      { decision: 'conflict', code: 'stood-elsewhere', installation: 'solar-0001' },
    ],
    [
      'a device placed and removed within one millisecond may be placed right after',
      { latest: closed(new Date(NOW.getTime() + 1)) },
      undefined,
      placed(new Date(NOW.getTime() + 1)),
    ],
  ]

describe('the decision on a placement', () => {
  for (const [name, facts, at, want] of table) {
    it(name, () => {
      const decided = decidePlacement(
        { ...sound, ...facts },
        { installation: 'solar-0042', at, now: NOW },
      )
      deepEqual(decided, want)
    })
  }
})
