import assert from 'node:assert/strict'
import { UnreachableError } from '../../src/lib/errors.js'
import { decideSets } from '../../src/lib/snapshot/decide.js'
import { judgeSet } from '../../src/lib/snapshot/settle.js'
import type { SetRow, TakenFacts } from '../../src/lib/snapshot/store.js'
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

describe('deciding which sets are kept', () => {
  const NOW = new Date('2026-11-25T12:00:00Z')
  const policy = {
    ...{ withinMs: 0, hourly: 0, daily: 2, weekly: 0, monthly: 0, yearly: 0, timeZone: 'UTC' },
  }
  /** `2026-11-20T03 db1,db2`, and `?` behind it for a set that is not whole. */
  const set = (text: string): SetRow => {
    const [hour = '', names = ''] = text.replace('?', '').split(' ')
    const members = names.split(',').map((host): SetRow['members'][number] => ({
      ...{ hostId: host, host, state: 'taken', reason: null },
      ...{ lsn: null, timeline: null, role: null, systemIdentifier: null, takenAt: null },
    }))
    const begunAt = new Date(`${hour}:00:00Z`)
    const state = text.endsWith('?') ? 'partial' : 'whole'
    return { id: hour, set: hour, stanza: 'main', state, begunAt, reason: null, members }
  }
  const CASES: [name: string, sets: string[], kept: string[]][] = [
    [
      'a set of one host at the beginning of a day, which stands for no day of the others',
      ['2026-11-20T01 a', '2026-11-20T03 a,b', '2026-11-21T03 a,b', '2026-11-22T03 a,b'],
      ['2026-11-21T03', '2026-11-22T03'],
    ],
    [
      'days that begin with a set of one host',
      ['2026-11-20T03 a,b', '2026-11-21T01 a', '2026-11-21T03 a,b', '2026-11-21T05 a,b'],
      ['2026-11-20T03', '2026-11-21T01', '2026-11-21T03', '2026-11-21T05'],
    ],
    [
      'a set of one host as the last one',
      ['2026-11-18T03 a,b', '2026-11-19T03 a,b', '2026-11-20T03 a', '2026-11-21T03 a'],
      ['2026-11-18T03', '2026-11-19T03', '2026-11-20T03', '2026-11-21T03'],
    ],
    [
      'a host that is not recorded any more, which keeps nothing that another one does not need',
      ['2026-11-18T03 a,gone', '2026-11-20T03 a', '2026-11-21T03 a'],
      ['2026-11-20T03', '2026-11-21T03'],
    ],
    [
      'sets of nobody who is recorded, of which the last ones stay',
      ['2026-11-18T03 gone', '2026-11-19T03 gone', '2026-11-20T03 gone', '2026-11-21T03 a'],
      ['2026-11-19T03', '2026-11-20T03', '2026-11-21T03'],
    ],
    [
      'a partial set, which counts as enough for no host',
      ['2026-11-19T03 a,b', '2026-11-20T03 a,b', '2026-11-21T03 a,b?'],
      ['2026-11-19T03', '2026-11-20T03', '2026-11-21T03'],
    ],
  ]
  for (const [name, sets, kept] of CASES)
    it(`decides about ${name}`, () => {
      const given = { hostIds: ['a', 'b'], proven: new Set<string>(), policy, now: NOW }
      const verdicts = [...decideSets(sets.map(set), given)]
      assert.deepEqual(
        verdicts.filter(([, why]) => why.length > 0).map(([id]) => id),
        kept,
      )
    })

  it('leaves a set that is being deleted without a say', () => {
    const leaving: SetRow = { ...set('2026-11-21T03 a'), state: 'leaving' }
    const given = { hostIds: ['a'], proven: new Set(['2026-11-21T03']), policy, now: NOW }
    assert.deepEqual([...decideSets([leaving], given)], [['2026-11-21T03', []]])
  })
})
