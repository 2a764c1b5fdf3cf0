import assert from 'node:assert/strict'
import { barFormat, progressLine } from '../../src/lib/terminal/progress.js'

const TOLD = { rate: '5', left: '3 s' }

describe('telling of progress', () => {
  it('counts what can be counted, with a rate, and what is left where the end is known', () => {
    assert.equal(progressLine({ done: 7, total: undefined, unit: 'rows' }, TOLD), '7 rows, 5/s')
    const counted = { done: 7, total: 9, unit: 'rows' }
    assert.equal(progressLine(counted, TOLD), '7 of 9 rows, 5/s, 3 s left')
    assert.match(barFormat(counted), /\{value\}\/\{total\} \{unit\} · \{rate\}/)
  })

  it('tells of a share of the whole by itself', () => {
    const share = { done: 10.85, total: 100, unit: '%' }
    assert.equal(progressLine(share, TOLD), '10%, 3 s left')
    assert.equal(barFormat(share), '{bar} {percentage}% · {left} left')
  })
})
