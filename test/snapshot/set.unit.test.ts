import assert from 'node:assert/strict'
import { UnreachableError } from '../../src/lib/errors.js'
import { judgeSet } from '../../src/lib/snapshot/settle.js'
import type { TakenFacts } from '../../src/lib/snapshot/store.js'
import { nameOfSet } from '../../src/lib/snapshot/types.js'

const standby: TakenFacts = {
  lsn: '0/5000000',
  timeline: 2,
  role: 'standby',
  systemIdentifier: '7000000000000000001',
  takenAt: '2026-11-25T03:00:00.000Z',
}
const primary: TakenFacts = { ...standby, role: 'primary' }
const away = new UnreachableError('ssh-unreachable', 'cannot reach db3')

const CASES: [string, Parameters<typeof judgeSet>[0], ReturnType<typeof judgeSet>][] = [
  ['a primary and its standbys', [primary, standby, standby], { state: 'whole', reason: null }],
  ['standbys alone', [standby, standby], { state: 'whole', reason: null }],
  ['a host that is away', [primary, standby, away], { state: 'partial', reason: null }],
  ['nobody at all', [away, away], { state: 'partial', reason: null }],
  [
    'a foreign cluster',
    [primary, { ...standby, systemIdentifier: '7000000000000000002' }],
    { state: 'partial', reason: 'the hosts belong to different clusters' },
  ],
  [
    'two that take writes',
    [primary, { ...primary, timeline: 3 }],
    { state: 'partial', reason: 'more than one host took writes' },
  ],
  [
    'a standby that stayed behind at a promotion',
    [primary, { ...standby, timeline: 1 }],
    { state: 'partial', reason: 'the hosts were on different timelines' },
  ],
]

describe('judging a set of snapshots', () => {
  for (const [name, results, wanted] of CASES)
    it(`calls it ${wanted.state} with ${name}`, () => {
      assert.deepEqual(judgeSet(results), wanted)
    })

  it('names a set by when it was begun in UTC, and by its label', () => {
    const at = new Date('2026-11-25T03:04:05.678Z')
    assert.equal(nameOfSet(at, undefined), '20261125-030405')
    assert.equal(nameOfSet(at, 'before-15-2'), '20261125-030405-before-15-2')
    for (const label of ['', '-a', 'a-', 'A', 'a b', 'a/b', 'a\n', 'x'.repeat(41)])
      assert.throws(() => nameOfSet(at, label), { code: 'bad-label' })
  })
})
