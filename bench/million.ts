import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import pLimit from 'p-limit'
import { gateCommand } from './gate.js'
import { median, runWithPeak, type Chapter, type Figure } from './measure.js'
import { startServer, type Plant } from './plant.js'
import type { Cluster } from './throwaway-cluster.js'

const DATABASE = 'bench_gate'
const CONNECTIONS = 32
const ROUNDS = 5
const MEBIBYTE = 1024 * 1024
/** A page of `device list` that a script reads. */
const PAGE = 10_000

/** How large it is measured; smaller only to try it out. */
const FULL = { devices: 1_000_000, senders: 150_000 }

/**
 * The tool with a registry of a million devices: the memory of a gate at which very many of them arrive, one
 * after another and all over again, and the time and memory of `device list` and `status`.
 * @param plant its database gets the devices, so nothing else is measured on it afterwards
 */
export async function measureMillion(
  program: readonly string[],
  plant: Plant,
  cluster: Cluster,
  size = FULL,
): Promise<Chapter> {
  addDevices(cluster, size.devices)
  const gate = await measureGateMemory(program, plant, size.senders)
  return {
    title: `${size.devices.toLocaleString('en')} devices`,
    method: `One installation at which all of them stand. The gate: ${size.senders.toLocaleString('en')} distinct devices fetch a token and are then decided on, over ${CONNECTIONS} connections; resident memory by the kernel. The commands: median of ${ROUNDS}, process start included; all pages are one run a page of ${PAGE.toLocaleString('en')}.`,
    figures: [...gate, ...measureCommands(program, plant, size.devices)],
  }
}

/** Devices with secrets that can be told from their number, as a real registration would not make them. */
function addDevices(cluster: Cluster, devices: number): void {
  cluster.psql(
    DATABASE,
    `insert into cleverctl.device (serial, model, batch, manufactured_at, secret_sha256)
     select 'MIL-' || lpad(number::text, 7, '0'), 'CleverDx', 'B-2', '2026-01-02', sha256(('secret-' || number)::bytea)
     from generate_series(1, ${devices}) as number;
     insert into cleverctl.placement (device_id, installation_id, installer_id, during)
     select device.id, installation.id, installer.id, tstzrange(now() - interval '100 days', null)
     from cleverctl.device, cleverctl.installation, cleverctl.installer where device.batch = 'B-2';
     vacuum analyze;`,
  )
}

async function measureGateMemory(
  program: readonly string[],
  plant: Plant,
  senders: number,
): Promise<Figure[]> {
  const gate = await startServer(gateCommand(program, plant), plant)
  const agent = new Agent({
    keepAlive: true,
    maxSockets: CONNECTIONS,
    ca: gate.address.certificate,
  })
  const limit = pLimit(CONNECTIONS)
  const { port } = gate.address
  try {
    const atRest = residentMiB(gate.pid)
    const tokens = new Array<string>(senders)
    const numbers = Array.from({ length: senders }, (_, index) => index)
    let failed = 0
    await limit.map(numbers, async (index) => {
      const answer = await ask(agent, port, '/v1/token', {
        headers: { 'x-api-key': plant.apiKey, 'content-type': 'application/json' },
        body: JSON.stringify({ serial: serialOf(index + 1), secret: `secret-${index + 1}` }),
      })
      if (answer.status !== 200) failed += 1
      else tokens[index] = String((JSON.parse(answer.text) as { token: string }).token)
    })
    const afterTokens = residentMiB(gate.pid)
    const began = performance.now()
    await limit.map(numbers, async (index) => {
      const headers = {
        'x-api-key': plant.apiKey,
        authorization: `Bearer ${tokens[index] ?? ''}`,
      }
      if ((await ask(agent, port, '/v1/authorize', { headers })).status !== 204) failed += 1
    })
    const seconds = (performance.now() - began) / 1_000
    return [
      { what: 'gate: memory at rest', figure: `${atRest.toFixed(0)} MiB` },
      { what: 'gate: memory after the tokens', figure: `${afterTokens.toFixed(0)} MiB` },
      {
        what: 'gate: memory after a decision on each',
        figure: `${residentMiB(gate.pid).toFixed(0)} MiB, at most ${residentMiB(gate.pid, 'VmHWM').toFixed(0)} MiB`,
      },
      {
        what: 'gate: decisions on devices that it does not know yet',
        figure: `${Math.round(senders / seconds)} requests/s, ${failed} failed`,
        bar: { text: 'none failed', reached: failed === 0 },
      },
    ]
  } finally {
    agent.destroy()
    await gate.stop()
  }
}

function measureCommands(program: readonly string[], plant: Plant, devices: number): Figure[] {
  const measure = (what: string, words: readonly string[]): Figure => {
    const runs = Array.from({ length: ROUNDS }, () =>
      runWithPeak([...program, ...words], { env: plant.environment }),
    )
    const ms = median(runs.map((run) => run.ms))
    const peak = Math.max(...runs.map((run) => run.peakMiB))
    return { what, figure: `${ms.toFixed(0)} ms, ${peak.toFixed(0)} MiB` }
  }
  return [
    measure('`device list`, the first 100', ['device', 'list']),
    measure(`\`device list --json --limit ${PAGE}\``, [
      ...['device', 'list', '--json', '--limit', String(PAGE)],
    ]),
    measure(`\`device list --state manufactured\``, ['device', 'list', '--state', 'manufactured']),
    readAllPages(program, plant, devices),
    measure('`status`', ['status']),
  ]
}

/** As a script reads the whole registry, from cursor to cursor. */
function readAllPages(program: readonly string[], plant: Plant, devices: number): Figure {
  let [ms, read, peak] = [0, 0, 0]
  let cursor: string | undefined
  do {
    const words = ['device', 'list', '--json', '--limit', String(PAGE)]
    const more = cursor === undefined ? [] : ['--cursor', cursor]
    const run = runWithPeak([...program, ...words, ...more], { env: plant.environment })
    const page = JSON.parse(run.stdout) as { devices: unknown[]; nextCursor?: string }
    ms += run.ms
    read += page.devices.length
    peak = Math.max(peak, run.peakMiB)
    cursor = page.nextCursor
  } while (cursor !== undefined)
  if (read < devices) throw new Error(`the pages held ${read} of ${devices} devices`)
  return {
    what: `all ${read.toLocaleString('en')} devices, page by page`,
    figure: `${(ms / 1_000).toFixed(1)} s, ${peak.toFixed(0)} MiB each`,
  }
}

function serialOf(number: number): string {
  return `MIL-${String(number).padStart(7, '0')}`
}

/** Resident memory of a process, or the most it ever was (`VmHWM`), from the kernel. */
function residentMiB(pid: number, line: 'VmRSS' | 'VmHWM' = 'VmRSS'): number {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8')
  const [, kibibytes] = new RegExp(`^${line}:\\s+(\\d+) kB`, 'm').exec(text) ?? []
  return (Number(kibibytes) * 1024) / MEBIBYTE
}

async function ask(
  agent: Agent,
  port: number,
  path: string,
  sent: { headers: Record<string, string>; body?: string },
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const method = sent.body === undefined ? 'GET' : 'POST'
    const options = { host: '127.0.0.1', port, agent, path, method, headers: sent.headers }
    const outgoing = request(options, (incoming) => {
      let text = ''
      incoming.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      incoming.on('error', reject)
      incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, text }))
    })
    outgoing.on('error', reject)
    outgoing.end(sent.body)
  })
}
