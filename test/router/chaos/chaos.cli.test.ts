import assert from 'node:assert/strict'
import { canRunRouters } from '../../support/router/test-router.js'
import { seeded } from '../../support/seeded.js'
import { chaos } from './chaos.js'

const RUNS = 25

describe('rotations in which something goes wrong', function () {
  this.timeout(15 * 60_000)

  it(`end with the old or the new secrets, ${RUNS} times, and nobody is locked out`, async function () {
    if (!canRunRouters()) return this.skip()
    const { seed } = seeded()
    const runs = await chaos({ runs: RUNS, seed, parallel: 3 })
    assert.equal(runs.length, RUNS)
    // Else nothing went wrong, and nothing was proven.
    const struck = runs.filter(({ hasStruck }) => hasStruck).length
    assert.ok(struck > RUNS / 2, `the fault struck in ${struck} runs only (SEED=${seed})`)
  })
})
