import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { PROGRAM } from '../support/cli.js'

// Runs alone: it compares times.

/** Bars in multiples of `node -e 0`. */
const BARS: readonly { args: readonly string[]; ratio: number }[] = [
  { args: ['--version'], ratio: 1.5 },
  { args: ['--help'], ratio: 5 },
  { args: ['help', 'exit-codes'], ratio: 5 },
]

/** After these a busy machine is no excuse. */
const MOST_ROUNDS = 40

interface Cost {
  /** Seconds by the clock, and of the processors. */
  elapsed: number
  used: number
}

/** What one run costs. A CA bundle in NODE_EXTRA_CA_CERTS would be parsed at every start: left out. */
function costOf(args: readonly string[]): Cost {
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env
  const script = 'TIMEFORMAT="%3R %3U %3S"; time "$@" >/dev/null'
  const { status, stderr } = spawnSync('bash', ['-c', script, 'bash', process.execPath, ...args], {
    env: { ...env, LC_ALL: 'C' },
    encoding: 'utf8',
  })
  assert.equal(status, 0, stderr)
  const [elapsed = NaN, user = NaN, system = NaN] = stderr.trim().split(' ').map(Number)
  return { elapsed, used: user + system }
}

function least(a: Cost, b: Cost): Cost {
  return { elapsed: Math.min(a.elapsed, b.elapsed), used: Math.min(a.used, b.used) }
}

describe('the cost of a start', () => {
  for (const { args, ratio } of BARS) {
    it(`of ${args.join(' ')} is at most ${ratio} times that of node -e 0`, () => {
      let bare = costOf(['-e', '0'])
      let ours = costOf([PROGRAM, ...args])
      // The least of many is what the program costs; the rest is what else the machine did.
      for (let round = 0; round < MOST_ROUNDS; round++) {
        bare = least(bare, costOf(['-e', '0']))
        ours = least(ours, costOf([PROGRAM, ...args]))
        if (ours.elapsed <= ratio * bare.elapsed || ours.used <= ratio * bare.used) return
      }
      assert.fail(
        `${ours.elapsed} s and ${ours.used} s used, against ${bare.elapsed} s and ${bare.used} s`,
      )
    })
  }
})
