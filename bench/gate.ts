import { join } from 'node:path'
import { load, loadMethod, type Load } from './load.js'
import { median, ratioFigure, type Chapter } from './measure.js'
import { fetchTokens, startServer, type Plant } from './plant.js'

const ROUNDS = 3
const P99_BAR_MS = 50

/** The gate's two hot routes against the same Fastify with empty handlers, in turns. */
export async function measureGate(
  program: readonly string[],
  plant: Plant,
  directory: string,
): Promise<Chapter> {
  const empty = await startServer(
    [
      process.execPath,
      '--import',
      'tsx',
      join(import.meta.dirname, 'empty-handler.ts'),
      'PORT',
      plant.certificate,
      plant.key,
    ],
    plant,
  )
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
