import assert from 'node:assert/strict'
import { decide, type Decision, type Evidence } from '../../../src/lib/router/rotation/decide.js'

const OURS = 'ourChange001'
const open = (state: 'begun' | 'armed' | 'undoing' | 'confirmed', id = OURS) => ({
  open: { state, id },
  last: undefined,
})
const ended = (outcome: 'confirmed' | 'undone', id = OURS) => ({
  open: undefined,
  last: { outcome, id },
})
const NO_TRACE = { open: undefined, last: undefined }
const [confirm, undo] = [{ act: 'confirm' }, { act: 'undo' }] as const
const [NEW, OLD, FOREIGN] = (['NEW', 'OLD', 'FOREIGN'] as const).map((verdict) => ({ verdict }))

/** What the router shows, what its Wi-Fi and its password are, whether all of it is proven, and what follows. */
const CASES: [string, Evidence['view'], Evidence['wifi'], Evidence['login'], boolean, unknown][] = [
  ['armed and proven: it is finished', open('armed'), 'NEW', 'NEW', true, confirm],
  ['armed, not on air', open('armed'), 'NEW', 'NEW', false, undo],
  ['armed, nothing applied', open('armed'), 'OLD', 'OLD', false, undo],
  ['armed, half applied', open('armed'), 'NEW', 'OLD', false, undo],
  ['armed, something else on air', open('armed'), 'FOREIGN', 'NONE', false, undo],
  ['cut off while being armed', open('begun'), 'OLD', 'OLD', false, undo],
  ['cut off while going back', open('undoing'), 'NEW', 'OLD', true, undo],
  ['cut off while being confirmed', open('confirmed'), 'NEW', 'NEW', false, confirm],
  ['confirmed, and all shows as new', ended('confirmed'), 'NEW', 'NEW', true, NEW],
  ['confirmed, password only', ended('confirmed'), 'NONE', 'NEW', true, NEW],
  ['confirmed, password that shows nowhere', ended('confirmed'), 'NONE', 'NONE', false, NEW],
  ['confirmed, then changed by hand', ended('confirmed'), 'FOREIGN', 'NEW', false, FOREIGN],
  ['confirmed, then the old password set', ended('confirmed'), 'NEW', 'OLD', false, FOREIGN],
  ['gone back', ended('undone'), 'OLD', 'OLD', false, OLD],
  ['gone back, password that shows nowhere', ended('undone'), 'NONE', 'NONE', false, OLD],
  ['gone back, then changed by hand', ended('undone'), 'FOREIGN', 'OLD', false, FOREIGN],
  ['gone back, yet new', ended('undone'), 'NEW', 'NEW', true, FOREIGN],
  ['no trace and old: never armed', NO_TRACE, 'OLD', 'OLD', false, OLD],
  ['no trace, nothing that shows', NO_TRACE, 'NONE', 'NONE', false, OLD],
  ['no trace and new: its flash was lost', NO_TRACE, 'NEW', 'NEW', true, NEW],
  ['no trace, half of each', NO_TRACE, 'NEW', 'OLD', false, FOREIGN],
  ['a later change of somebody else is open', open('armed', 'another'), 'OLD', 'OLD', false, OLD],
  [
    'a later change of somebody else ended',
    ended('confirmed', 'another'),
    'FOREIGN',
    'OLD',
    false,
    FOREIGN,
  ],
]

describe('a rotation that was cut off', () => {
  for (const [name, view, wifi, login, isProven, expected] of CASES)
    it(`${name}: ${JSON.stringify(expected)}`, () => {
      const decision: Decision = decide({ changeId: OURS, view, wifi, login, isProven })
      assert.deepEqual(decision, expected)
    })
})
