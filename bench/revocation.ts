import { Agent, request } from 'node:https'
import { percentile, type Chapter } from './measure.js'
import { fetchTokens, startServer, type Plant } from './plant.js'
import { gateCommand } from './gate.js'
import type { Cluster } from './throwaway-cluster.js'

const REVOCATIONS = 200
const LISTENER_KILLS = 20

/**
 * Time from the commit of a revocation to the gate's first refusal on a kept-alive connection that asks
 * without pause; then the same with the gate's listening connection killed just before.
 */
export async function measureRevocation(
  program: readonly string[],
  plant: Plant,
  cluster: Cluster,
): Promise<Chapter> {
  const gate = await startServer(gateCommand(program, plant), plant)
  const { default: pg } = await import('pg')
  const client = new pg.Client({ connectionString: cluster.url('bench_gate') })
  await client.connect()
  try {
    const [token = ''] = await fetchTokens(gate.address, plant)
    const [serial = ''] = plant.secrets.keys()
    const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: gate.address.certificate })
    const ask = () =>
      statusOf(agent, gate.address.port, {
        'x-api-key': plant.apiKey,
        authorization: `Bearer ${token}`,
      })
    const set = (revoked: boolean) =>
      client.query(
        'update cleverctl.device set revoked_at = $2, revoke_reason = $3 where serial = $1',
        [serial, revoked ? new Date() : null, revoked ? 'measured' : null],
      )
    const timeToRefusal = async (): Promise<number> => {
      await set(true)
      const committed = performance.now()
      while ((await ask()) === 204);
      const ms = performance.now() - committed
      await set(false)
      while ((await ask()) !== 204);
      return ms
    }
    const seen: number[] = []
    for (let turn = 0; turn < REVOCATIONS; turn += 1) seen.push(await timeToRefusal())
    const deaf: number[] = []
    for (let turn = 0; turn < LISTENER_KILLS; turn += 1) {
      await client.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'cleverctl gate listener'`,
      )
      deaf.push(await timeToRefusal())
    }
    agent.destroy()
    const p99 = percentile(seen, 99)
    const worst = Math.max(...deaf)
    return {
      title: 'Revocation',
      method: `From the commit to the first refusal at a running gate, ${REVOCATIONS} times; then ${LISTENER_KILLS} times with its listening connection killed just before.`,
      figures: [
        {
          what: 'listening',
          figure: `median ${percentile(seen, 50).toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`,
          bar: { text: 'p99 within 250 ms', reached: p99 <= 250 },
        },
        {
          what: 'listener killed',
          figure: `median ${percentile(deaf, 50).toFixed(1)} ms, worst ${worst.toFixed(1)} ms`,
          bar: { text: 'within 2 s', reached: worst <= 2_000 },
        },
      ],
    }
  } finally {
    await client.end()
    await gate.stop()
  }
}

function statusOf(agent: Agent, port: number, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { agent, host: '127.0.0.1', port, path: '/v1/authorize', headers },
      (incoming) => {
        incoming.resume()
        incoming.on('end', () => resolve(incoming.statusCode ?? 0))
      },
    )
    outgoing.on('error', reject)
    outgoing.end()
  })
}
