import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { PROGRAM } from '../support/cli.js'

/** Bars in multiples of `node -e 0`, and the rounds after which a busy machine is no excuse. */
const BARS: readonly { args: readonly string[]; ratio: number }[] = [
  { args: ['--version'], ratio: 1.5 },
  { args: ['--help'], ratio: 5 },
  { args: ['help', 'exit-codes'], ratio: 5 },
]
const LEAST_ROUNDS = 5
const MOST_ROUNDS = 60

/** Milliseconds of one run. A CA bundle in NODE_EXTRA_CA_CERTS would be parsed at every start: left out. */
function run(args: readonly string[]): number {
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env
  const start = performance.now()
  const { status } = spawnSync(process.execPath, args, { env, stdio: 'ignore' })
  const duration = performance.now() - start
  assert.equal(status, 0, args.join(' '))
  return duration
}

describe('the cost of a start', () => {
  for (const { args, ratio } of BARS) {
    it(`of ${args.join(' ')} is at most ${ratio} times that of node -e 0`, function () {
      this.timeout(120_000)
      let [bare, ours] = [Infinity, Infinity]
      // The fastest of many is what the program costs; the rest is what else the machine did.
      for (let round = 0; round < MOST_ROUNDS; round++) {
        bare = Math.min(bare, run(['-e', '0']))
        ours = Math.min(ours, run([PROGRAM, ...args]))
        if (round >= LEAST_ROUNDS && ours <= ratio * bare) return
      }
      assert.fail(`${ours.toFixed(0)} ms against ${bare.toFixed(0)} ms`)
    })
  }
})
