import { arch, cpus, platform } from 'node:os'
import { parseArgs } from 'node:util'
import { stopMachines } from '../../support/router/machine.js'
import { stopSharedCluster } from '../../support/database.js'
import { chaos, type Run } from './chaos.js'

// npm run chaos:router -- --runs 500 --seed 1 [--parallel 4]

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '25' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    parallel: { type: 'string', default: '4' },
  },
})
const [runs, seed, parallel] = [values.runs, values.seed, values.parallel].map(Number) as [
  number,
  number,
  number,
]

const began = Date.now()
const done: Run[] = []
let failure: Error | undefined
try {
  await chaos({
    ...{ runs, seed, parallel },
    told: (run) => {
      done.push(run)
      const struck = run.hasStruck ? `exit ${run.code ?? 'killed'}` : 'the moment never came'
      process.stderr.write(
        `${done.length}/${runs} ${run.driver} ${run.kind}: ${run.fault} when ${run.step}: ${struck}, ${run.inForce}\n`,
      )
    },
  })
} catch (error) {
  failure = error instanceof Error ? error : new Error(String(error))
} finally {
  await stopMachines()
  await stopSharedCluster()
}
const count = (key: (run: Run) => string) => {
  const counts = new Map<string, number>()
  for (const run of done) counts.set(key(run), (counts.get(key(run)) ?? 0) + 1)
  return Object.fromEntries([...counts].sort())
}
const report = {
  ...{ runs: done.length, seed, parallel },
  lockOuts: failure === undefined ? 0 : 'see the failure',
  struck: done.filter(({ hasStruck }) => hasStruck).length,
  seconds: Math.round((Date.now() - began) / 1000),
  machine: `${platform()} ${arch()}, ${cpus().length} cores, Node.js ${process.version}`,
  inForce: count(({ inForce }) => inForce),
  faults: count(({ fault }) => fault),
  steps: count(({ step }) => step),
  kinds: count(({ kind }) => kind),
  exitCodes: count(({ code }) => String(code ?? 'killed')),
}
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
if (failure !== undefined) throw failure
