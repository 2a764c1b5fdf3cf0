import { deepEqual, equal, ok } from 'node:assert/strict'
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ACCESS_RULES } from '../../src/lib/access/audit/rules.js'
import { FAULTS } from '../../src/lib/access/self-test/faults.js'
import type { SelfTest } from '../../src/lib/access/self-test/types.js'
import { runCli } from '../support/cli.js'

/** Tried elsewhere: probing needs a way in over the network, and listening everywhere is nothing for a test. */
const ELSEWHERE = /^probe-|^listens-everywhere$/

describe('the self-test of the audit', () => {
  let folder: string
  const programs = process.env['CLEVERCTL_TEST_POSTGRES_BIN']
  const env = () => ({
    TMPDIR: folder,
    ...(programs === undefined ? {} : { CLEVERCTL_POSTGRES_BIN: programs }),
  })

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cctl-st-'))
    // The server has another account where the tests are root's.
    chmodSync(folder, 0o1777)
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('plants a fault for every rule', () => {
    const tried = new Set(FAULTS.map(({ rule }) => rule))
    const missing = ACCESS_RULES.map(({ id }) => id).filter((id) => !tried.has(id))
    deepEqual(
      missing.filter((id) => !ELSEWHERE.test(id)),
      [],
    )
  })

  it('finds every fault and nothing that is none, and leaves nothing behind', async () => {
    const result = await runCli(['access', 'self-test', '--json'], { env: env() })
    equal(result.code, 0, result.stdout + result.stderr)
    const { planted, found, falseFindings, missed, wrong, leftOut, version } =
      result.json() as SelfTest
    deepEqual([missed, wrong, falseFindings], [[], [], 0])
    deepEqual(
      leftOut.filter(({ rule }) => rule !== 'no-pgaudit'),
      [],
    )
    equal(found, planted)
    ok(planted >= 60, `${planted} faults`)
    ok(version >= 150_000, `version ${version}`)
    deepEqual(readdirSync(folder), [])
  })

  for (const signal of ['SIGTERM', 'SIGKILL'] as const)
    it(`removes its server after ${signal}`, async () => {
      await runCli(['access', 'self-test'], {
        env: env(),
        onStart: (child) => {
          const timer = setInterval(() => {
            const [cluster] = readdirSync(folder)
            if (cluster === undefined) return
            if (!readdirSync(join(folder, cluster)).some((name) => name.startsWith('.s.'))) return
            clearInterval(timer)
            child.kill(signal)
          }, 20)
        },
      })
      // The shell that clears up is nobody's child any more.
      while (readdirSync(folder).length > 0) await sleep(50)
    })
})
