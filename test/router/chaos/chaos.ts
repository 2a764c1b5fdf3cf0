import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ChildProcess } from 'node:child_process'
import { ExitCode } from '../../../src/lib/errors.js'
import { openCredential } from '../../../src/lib/router/credential.js'
import { selectInGrace } from '../../../src/lib/router/rotation/overlap-store.js'
import { selectCurrentCredentials, selectRouter } from '../../../src/lib/router/store.js'
import type { Workspace } from '../../../src/lib/workspace.js'
import { startTestRouter, type TestRouter } from '../../support/router/test-router.js'
import { seeded, type Seeded } from '../../support/seeded.js'
import { hasPassword, Plant } from '../rotation/plant.js'
import { FAULTS } from './faults.js'
import { workspaceOf } from './plant-workspace.js'

/** The moments at which something goes wrong: what the tool says with --verbose, and its start. */
const STEPS = ['begun', 'written down', 'armed', 'applied', 'tested', 'confirmed'] as const
/** What is rotated. */
const KINDS = [
  ['--what', 'admin'],
  ['--what', 'wifi'],
  ['--what', 'wifi,admin'],
  ['--what', 'wifi,name'],
  ['--what', 'wifi,admin,name'],
  ['--what', 'wifi', '--overlap'],
  ['--what', 'wifi,name', '--overlap'],
] as const
const ROLLBACK = '6s'
/** A fault may come so long after the moment; most steps take less. */
const LONGEST_DELAY_MS = 250
/** How a rotation may end when something goes wrong; null: killed. Never a bug, never wrong usage. */
const ENDS: readonly (number | null)[] = [
  ...[ExitCode.ok, ExitCode.failure, ExitCode.conflict, ExitCode.unreachable, ExitCode.interrupted],
  null,
]

/** What came of one run. */
export interface Run {
  number: number
  driver: string
  kind: string
  fault: string
  step: string
  /** Whether the moment came at all. */
  hasStruck: boolean
  code: number | null
  /** Which secrets were in force afterwards. */
  inForce: 'OLD' | 'NEW'
}

/**
 * Rotates routers again and again, and each time something goes wrong at a moment drawn by the seed. After each: the
 * database's secrets open the router, old and new are not mixed, and the same command finishes the work.
 * @param given.parallel so many routers at a time
 * @throws AssertionError with the run's number, by which the seed finds it again
 */
export async function chaos(given: {
  runs: number
  seed: number
  parallel: number
  told?: (run: Run) => void
}): Promise<Run[]> {
  const { runs, seed, parallel, told } = given
  const plant = await Plant.make(parallel)
  const done: Run[] = []
  let next = 0
  try {
    const workspace = await workspaceOf(plant)
    const work = async (index: number) => {
      const driver = index % 2 === 0 ? 'openwrt' : 'rutos'
      const place = { plant, workspace, installation: `solar-${index + 1}`, driver } as const
      const router = await startTestRouter({ driver, network: 'cable' })
      try {
        await plant.add(place.installation, router, driver)
        while (next < runs) {
          const run = await oneRun({ ...place, router, number: next++, seed })
          done.push(run)
          told?.(run)
        }
      } finally {
        await router.stop()
      }
    }
    await Promise.all(Array.from({ length: parallel }, (_each, index) => work(index)))
    await plant.json(['trail', 'verify'])
  } finally {
    await plant.remove()
  }
  return done.sort((a, b) => a.number - b.number)
}

interface Place {
  plant: Plant
  workspace: Workspace
  installation: string
  driver: string
  router: TestRouter
  number: number
  seed: number
}

async function oneRun(place: Place): Promise<Run> {
  const { plant, router, installation, number, seed, driver } = place
  const random = seeded(seed * 10_007 + number)
  const [name, fault] = random.pick(Object.entries(FAULTS))
  const isRetiring = await hasOverlap(place)
  const kind = isRetiring ? (['--end-overlap'] as const) : random.pick(KINDS)
  const step = random.pick(STEPS)
  const words = isRetiring
    ? ['router', 'reconcile', installation, ...kind]
    : ['router', 'rotate', installation, ...kind, '--rollback-after', ROLLBACK]
  const title = `run ${number} of seed ${seed}: ${driver}, ${kind.join(' ')}, ${name} when ${step}`
  try {
    const before = await secretsOf(place)
    const struck = await strike(place, { words, fault, step, random })
    assert.ok(ENDS.includes(struck.code), `it ended with ${struck.code}: ${struck.stderr}`)
    // What the database knows opens the router, and is all of the old or all of the new.
    await settle(place)
    const after = await secretsOf(place)
    await assertInForce(place, after)
    const changes = await changesOf(place)
    assert.deepEqual(changes.unsettled, 0, 'a change has no outcome in the trail')
    // The same command finishes the work.
    await plant.json(words)
    await assertInForce(place, await secretsOf(place))
    const inForce = before.join() === after.join() ? 'OLD' : 'NEW'
    const { hasStruck, code } = struck
    return { number, driver, kind: kind.join(' '), fault: name, step, hasStruck, code, inForce }
  } catch (error) {
    const log = router.log().split('\n').slice(-15).join('\n')
    const message = error instanceof Error ? error.message : String(error)
    throw new Error(`${title}\n${message}\n${log}`, { cause: error })
  }
}

/** Runs the command and lets the fault strike. What needs mending is mended once the command has ended. */
async function strike(
  { plant, router, installation }: Place,
  given: {
    words: readonly string[]
    fault: (typeof FAULTS)[string]
    step: (typeof STEPS)[number]
    random: Seeded
  },
): Promise<{ code: number | null; stderr: string; hasStruck: boolean }> {
  const { words, fault, step, random } = given
  const delayMs = random.below(LONGEST_DELAY_MS)
  let striking: ReturnType<typeof fault> | undefined
  const onStart = (tool: ChildProcess) => {
    const begin = () => {
      striking ??= sleep(delayMs).then(() => fault({ plant, installation, router, tool }))
    }
    if (step === 'begun') begin()
    tool.stderr?.on('data', (chunk: Buffer) => {
      if (chunk.toString('utf8').includes(` ${step}`)) begin()
    })
  }
  const { code, stderr } = await plant.run([...words, '--verbose'], { onStart })
  const mend = await striking
  await mend?.()
  return { code, stderr, hasStruck: striking !== undefined }
}

/** What is open is settled; a router that goes back at this moment, or reboots, may want a second call. */
async function settle({ plant, installation }: Place): Promise<void> {
  for (let tries = 0; ; tries++) {
    const { code, stderr } = await plant.run(['router', 'reconcile', installation])
    if (code === ExitCode.ok) return
    // PostgreSQL takes a moment to see that a killed tool holds the router no more.
    const mayPass = code === ExitCode.unreachable || stderr.includes('somebody else is changing')
    assert.ok(tries < 5 && mayPass, `reconcile ended with ${code}: ${stderr}`)
    await sleep(1000)
  }
}

async function hasOverlap({ workspace, installation }: Place): Promise<boolean> {
  const router = await selectRouter(workspace.database, installation)
  return (await selectInGrace(workspace.database, router?.id ?? '')).length > 0
}

/** The secrets that are in force by the database: password, name, passphrase, and the passphrase and name beside it. */
async function secretsOf({ workspace, installation }: Place): Promise<string[]> {
  const { database } = workspace
  const keyring = await workspace.keyring()
  const router = await selectRouter(database, installation)
  const current = await selectCurrentCredentials(database, router?.id ?? '')
  const [former] = await selectInGrace(database, router?.id ?? '')
  const [password, wifi] = ['admin', 'wifi'].map((kind) => current.find((row) => row.kind === kind))
  assert.ok(password && wifi)
  const reveal = (row: typeof wifi) => openCredential(keyring, row).reveal()
  const first = former ?? wifi
  const beside = former ? [reveal(wifi), wifi.name] : []
  return [reveal(password), first.name, reveal(first), ...beside]
}

/** That the router has these secrets and no others: in its files, and on air. */
async function assertInForce({ router, driver }: Place, secrets: string[]): Promise<void> {
  const [password = '', ssid, passphrase = '', extra, second] = secrets
  const accounts = driver === 'rutos' ? ['root', 'admin'] : ['root']
  for (const account of accounts)
    assert.ok(await hasPassword(router, password, account), `another password of ${account}`)
  const wireless = router.readFlash('/etc/config/wireless') ?? ''
  const keys = [...wireless.matchAll(/option key '([^']*)'/g)].map(([, key]) => key)
  assert.deepEqual(keys, extra === undefined ? [passphrase] : [passphrase, extra])
  assert.equal((await router.shell('uci changes')).stdout, '')
  const onAir = async () => router.onAir().map((each) => [each.ssid, each.keyDigest])
  const digestOf = (secret: string) => createHash('sha256').update(secret).digest('hex')
  const isSecond = extra !== undefined && second !== ssid
  const wanted = [[ssid, digestOf(passphrase)], ...(isSecond ? [[second, digestOf(extra)]] : [])]
  // The radio takes a moment for what is configured.
  for (let tries = 0; tries < 100 && (await onAir()).join() !== wanted.join(); tries++)
    await sleep(50)
  assert.deepEqual(await onAir(), wanted)
}

async function changesOf({ workspace, installation }: Place): Promise<{ unsettled: number }> {
  const { rows } = await workspace.database.query<{ unsettled: number }>(
    `select count(*) filter (where outcomes = 0)::integer as unsettled from (
       select details->>'change', count(*) filter (where phase = 'outcome') as outcomes from cleverctl.trail
       where subject = $1 and action = 'router.rotate' group by 1) as story`,
    [installation],
  )
  return { unsettled: rows[0]?.unsettled ?? -1 }
}
