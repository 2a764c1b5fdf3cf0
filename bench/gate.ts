import { join } from 'node:path'
import { load, loadMethod, type Load } from './load.js'
import { median, ratioFigure, type Chapter, type Figure } from './measure.js'
import { fetchTokens, startServer, type Plant } from './plant.js'

const ROUNDS = 3
const P99_BAR_MS = 50

/** The gate's two hot routes against the same Fastify with empty handlers, in turns. */
export async function measureGate(
  program: readonly string[],
  plant: Plant,
  directory: string,
): Promise<Chapter> {
  const empty = await startServer(emptyHandler(plant), plant)
  const gate = await startServer(gateCommand(program, plant), plant)
  try {
    const tokens = await fetchTokens(gate.address, plant)
    const runs: Record<'authorize' | 'data', { empty: Load[]; gate: Load[] }> = {
      authorize: { empty: [], gate: [] },
      data: { empty: [], gate: [] },
    }
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const route of ['authorize', 'data'] as const) {
        const firstReading = new Date(Date.now() - (20 - round) * 86_400_000)
        for (const [name, server] of [
          ['empty', empty],
          ['gate', gate],
        ] as const) {
          runs[route][name].push(
            await load(directory, {
              port: server.address.port,
              route,
              apiKey: plant.apiKey,
              tokens,
              firstReading,
            }),
          )
        }
      }
    }
    return {
      title: 'The gate, one process',
      method: `${loadMethod}; 50 devices of one installation, one reading of eight values a request; median of ${ROUNDS} rounds taken in turns.`,
      figures: [
        ...compare('`GET /v1/authorize` (decision only)', runs.authorize, 0.7),
        ...compare('`POST /v1/data` (202 after commit)', runs.data, 0.3),
      ],
    }
  } finally {
    await Promise.all([empty.stop(), gate.stop()])
  }
}

/**
 * The gate with one worker and with two, on both cores as it would run, in turns with the empty handler that is
 * one process. The load is made on the same cores, so two workers cannot reach twice one.
 */
export async function measureWorkers(
  program: readonly string[],
  plant: Plant,
  directory: string,
): Promise<Chapter> {
  const cores = '0,1'
  const command = gateCommand(program, plant)
  const one = await startServer(command, plant, cores)
  const two = await startServer([...command, '--workers', '2'], plant, cores)
  const empty = await startServer(emptyHandler(plant), plant, cores)
  const servers = { empty, one, two }
  const names = ['empty', 'one', 'two'] as const
  try {
    const tokens = await fetchTokens(one.address, plant)
    const figures = []
    for (const [at, route] of (['authorize', 'data'] as const).entries()) {
      const runs: Record<(typeof names)[number], Load[]> = { empty: [], one: [], two: [] }
      for (let round = 0; round < ROUNDS; round += 1) {
        for (const [place, name] of names.entries()) {
          const { port } = servers[name].address
          // A day of its own for each run: what is stored already is cheaper to take in.
          const day = 40 + (at * ROUNDS + round) * names.length + place
          const firstReading = new Date(Date.now() - day * 86_400_000)
          const target = { port, route, apiKey: plant.apiKey, tokens, firstReading, cores }
          runs[name].push(await load(directory, target))
        }
      }
      figures.push(...compareWorkers(route, runs))
    }
    return {
      title: 'The gate, one worker and two',
      method: `wrk and the servers on both cores, PostgreSQL as well; otherwise as above; median of ${ROUNDS} rounds taken in turns.`,
      figures,
    }
  } finally {
    await Promise.all([one.stop(), two.stop(), empty.stop()])
  }
}

function compareWorkers(route: string, runs: Record<'empty' | 'one' | 'two', Load[]>): Figure[] {
  const rate = (loads: readonly Load[]) => median(loads.map((run) => run.requestsPerSecond))
  const figure = (what: string, loads: readonly Load[], against: readonly Load[], word: string) => {
    const p99 = median(loads.map((run) => run.p99Ms))
    const failed = loads.reduce((sum, run) => sum + run.failed, 0)
    return {
      what: `\`/v1/${route}\`, ${what}`,
      figure: `${Math.round(rate(loads))} requests/s, p99 ${p99.toFixed(1)} ms, ${failed} failed`,
      baseline: `${word} ${Math.round(rate(against))} requests/s`,
      ratio: rate(loads) / rate(against),
    }
  }
  return [
    figure('1 worker', runs.one, runs.empty, 'empty handler'),
    figure('2 workers', runs.two, runs.empty, 'empty handler'),
    figure('2 workers', runs.two, runs.one, '1 worker'),
  ]
}

/** The same Fastify with handlers that decide nothing. */
function emptyHandler(plant: Plant): string[] {
  const script = join(import.meta.dirname, 'empty-handler.ts')
  return [process.execPath, '--import', 'tsx', script, 'PORT', plant.certificate, plant.key]
}

/** The gate as measured: limits lifted, because one address sends everything here. */
export function gateCommand(program: readonly string[], plant: Plant): string[] {
  return [
    ...program,
    'gate',
    'serve',
    '--address',
    '127.0.0.1',
    '--port',
    'PORT',
    '--tls-cert',
    plant.certificate,
    '--tls-key',
    plant.key,
    '--no-limits',
    '--quiet',
  ]
}

function compare(what: string, runs: { empty: Load[]; gate: Load[] }, atLeast: number) {
  const rate = (loads: Load[]) => median(loads.map((run) => run.requestsPerSecond))
  const p99 = median(runs.gate.map((run) => run.p99Ms))
  const failed = runs.gate.reduce((sum, run) => sum + run.failed, 0)
  return [
    ratioFigure(
      what,
      {
        figure: `${Math.round(rate(runs.gate))} requests/s`,
        baseline: `empty handler ${Math.round(rate(runs.empty))} requests/s`,
        ratio: rate(runs.gate) / rate(runs.empty),
      },
      { atLeast },
    ),
    {
      what: `${what}: slowest hundredth, failed answers`,
      figure: `p99 ${p99.toFixed(1)} ms, ${failed} failed`,
      bar: {
        text: `p99 under ${P99_BAR_MS} ms, none failed`,
        reached: p99 < P99_BAR_MS && failed === 0,
      },
    },
  ]
}
