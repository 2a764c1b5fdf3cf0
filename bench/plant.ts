import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { askGate, type GateAddress } from '../src/lib/demo/http.js'
import { freePort } from '../src/lib/free-port.js'
import { quietEnvironment, runOnce } from './measure.js'
import type { Cluster } from './throwaway-cluster.js'

const DEVICES = 50

/** One installation with devices, its key and a token of each device, and a certificate for servers. */
export interface Plant {
  environment: NodeJS.ProcessEnv
  certificate: string
  key: string
  apiKey: string
  secrets: ReadonlyMap<string, string>
}

/** Registers an installation with 50 installed devices in a fresh database of the cluster. */
export function preparePlant(
  program: readonly string[],
  cluster: Cluster,
  directory: string,
): Plant {
  cluster.psql('postgres', 'create database bench_gate')
  const environment = quietEnvironment({
    CLEVERCTL_HOME: join(directory, 'gate-home'),
    CLEVERCTL_DATABASE_URL: cluster.url('bench_gate'),
  })
  const cleverctl = (...command: string[]) =>
    runOnce([...program, ...command, '--json'], { env: environment })
  cleverctl('database', 'migrate')
  cleverctl('init')
  cleverctl(
    'installation',
    'create',
    'solar-0042',
    '--name',
    'Almeria 42',
    '--timezone',
    'Europe/Madrid',
    '--latitude',
    '36.84',
    '--longitude',
    '-2.46',
  )
  cleverctl('api-key', 'issue', 'solar-0042', '--output', join(directory, 'key.txt'))
  const rows = Array.from(
    { length: DEVICES },
    (_, index) => `CDX-${String(index).padStart(6, '0')},CleverDx,B-1,2026-01-02`,
  )
  writeFileSync(
    join(directory, 'factory.csv'),
    ['serial,model,batch,manufacturedAt', ...rows, ''].join('\n'),
  )
  cleverctl(
    'device',
    'import',
    join(directory, 'factory.csv'),
    '--secrets-out',
    join(directory, 'secrets.csv'),
  )
  cluster.psql(
    'bench_gate',
    `insert into cleverctl.installer (email, name, password_hash) values ('installer@example.com', 'Installer', 'none');
     insert into cleverctl.placement (device_id, installation_id, installer_id, during)
     select device.id, installation.id, installer.id, tstzrange(now() - interval '100 days', null)
     from cleverctl.device, cleverctl.installation, cleverctl.installer`,
  )
  runOnce([
    'openssl',
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '2',
    '-subj',
    '/CN=localhost',
    '-addext',
    'subjectAltName=IP:127.0.0.1',
    '-keyout',
    join(directory, 'tls.key'),
    '-out',
    join(directory, 'tls.crt'),
  ])
  const secrets = readFileSync(join(directory, 'secrets.csv'), 'utf8').trim().split('\n').slice(1)
  return {
    environment,
    certificate: join(directory, 'tls.crt'),
    key: join(directory, 'tls.key'),
    apiKey: readFileSync(join(directory, 'key.txt'), 'utf8').trim(),
    secrets: new Map(secrets.map((line) => line.split(',') as [string, string])),
  }
}

/** A server under measurement. */
export interface Server {
  address: GateAddress
  pid: number
  stop(): Promise<void>
}

/**
 * Starts `command` with a free port put in for `PORT` and waits until /readyz answers 200.
 * @param cores which it may use, as taskset takes them; the first where absent
 */
export async function startServer(
  command: readonly string[],
  plant: Plant,
  cores = '0',
): Promise<Server> {
  const port = await freePort()
  const child = spawn(
    'taskset',
    ['-c', cores, ...command.map((word) => (word === 'PORT' ? String(port) : word))],
    {
      env: plant.environment,
      stdio: 'ignore', // a gate tells each refusal, and 200 revocations make thousands
    },
  )
  const address = { host: '127.0.0.1', port, certificate: readFileSync(plant.certificate, 'utf8') }
  await ready(address, child)
  return {
    address,
    pid: child.pid ?? 0,
    stop: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await ended
    },
  }
}

/** A token of each device, by the protocol. */
export async function fetchTokens(gate: GateAddress, plant: Plant): Promise<string[]> {
  const tokens: string[] = []
  for (const [serial, secret] of plant.secrets) {
    const answer = await askGate(gate, {
      method: 'POST',
      path: '/v1/token',
      headers: { 'x-api-key': plant.apiKey },
      body: { serial, secret },
    })
    if (answer.status !== 200) throw new Error(`no token for ${serial}: ${answer.status}`)
    tokens.push(String(answer.body.token))
  }
  return tokens
}

async function ready(gate: GateAddress, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + 30_000
  while (Date.now() < deadline && child.exitCode === null) {
    const answer = await askGate(gate, { method: 'GET', path: '/readyz' }).catch(() => undefined)
    if (answer?.status === 200) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('the measured server did not become ready')
}
