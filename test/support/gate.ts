import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock, systemRandom } from '../../src/lib/clock.js'
import { resolveSettings } from '../../src/lib/config/settings.js'
import type { Database } from '../../src/lib/database/database.js'
import { selfSignedCertificate, type ServerCertificate } from '../../src/lib/gate/certificate.js'
import { startGate, type GateOptions, type RunningGate } from '../../src/lib/gate/gate.js'
import { DEFAULT_TIMEOUTS } from '../../src/lib/gate/http-server.js'
import { NO_LIMITS } from '../../src/lib/gate/limits.js'
import { parseObject } from '../../src/lib/json.js'
import { openKeyring } from '../../src/lib/keyring/open.js'
import type { Workspace } from '../../src/lib/workspace.js'
import { PROGRAM } from './cli.js'
import { testWorkspace } from './database.js'
import { GateClient } from './gate-client.js'
import { until } from './until.js'

/** A gate in this process. */
export interface TestGate {
  client: GateClient
  running: RunningGate
  /** The lines of its log, parsed. */
  log: Record<string, unknown>[]
  stop(): Promise<void>
}

let certificate: Promise<ServerCertificate> | undefined

/** One self-signed certificate for all gates of this process. */
async function testCertificate(): Promise<ServerCertificate> {
  certificate ??= (async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cctl-cert-'))
    try {
      return await selfSignedCertificate(folder, { clock: systemClock, random: systemRandom })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })()
  return certificate
}

/** Starts a gate in this process on a free port and waits until it is ready. Real time, no limits unless given. */
export async function startTestGate(
  workspace: Workspace,
  options: Partial<GateOptions> = {},
): Promise<TestGate> {
  const { cert, key } = await testCertificate()
  const log: Record<string, unknown>[] = []
  const logStream = { write: (line: string) => void log.push(parseObject(line) ?? {}) }
  const running = await startGate(workspace, {
    address: '127.0.0.1',
    port: 0,
    tls: { cert, key },
    trustProxy: [],
    limits: NO_LIMITS,
    tokenTtlMs: 900_000,
    timeouts: DEFAULT_TIMEOUTS,
    logLevel: 'debug',
    logStream,
    ...options,
  })
  const client = new GateClient(running.port, cert)
  await untilReady(client)
  return {
    client,
    running,
    log,
    stop: async () => {
      client.close()
      await running.stop()
    },
  }
}

/** Waits until /readyz answers 200. */
export async function untilReady(client: GateClient, ms = 50_000): Promise<void> {
  await until(async () => {
    const answer = await client.ask({ path: '/readyz' }).catch(() => undefined)
    return answer?.status === 200
  }, ms)
}

/** A gate that runs as a process of its own. */
export interface SpawnedGate {
  child: ChildProcess
  client: GateClient
  /** Everything it wrote on stderr so far. */
  stderr(): string
  stdout(): string
  /** Resolves at its end with the exit code, null when a signal ended it. */
  ended: Promise<number | null>
  /** Sends a signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<number | null>
}

/**
 * Spawns `gate serve` on a free port with a self-signed certificate and waits until it is ready.
 * @param given.home CLEVERCTL_HOME, with the keyring that sealed the signing keys
 */
export async function spawnGate(given: {
  home: string
  env: Record<string, string>
  args?: readonly string[]
  readyMs?: number
}): Promise<SpawnedGate> {
  const child = spawn(
    process.execPath,
    [PROGRAM, 'gate', 'serve', '--port', '0', '--self-signed', ...(given.args ?? [])],
    {
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: given.home,
        CLEVERCTL_HOME: given.home,
        ...given.env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  let stderr = ''
  let stdout = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  const ended = once(child, 'close').then(([code]) => code as number | null)
  let client: GateClient | undefined
  try {
    await until(() => {
      if (child.exitCode !== null) throw new Error(`the gate ended: ${stderr}`)
      return /listening on https:/.test(stderr)
    }, given.readyMs ?? 50_000)
    const port = Number(/listening on https:\/\/[^:]+:(\d+)/.exec(stderr)?.[1])
    client = new GateClient(port, readFileSync(join(given.home, 'gate/self-signed.crt'), 'utf8'))
    await untilReady(client)
  } catch (error) {
    child.kill('SIGKILL')
    throw new Error(`the gate did not become ready: ${stderr}`, { cause: error })
  }
  const connected = client
  return {
    child,
    client: connected,
    stderr: () => stderr,
    stdout: () => stdout,
    ended,
    end: async (signal) => {
      connected.close()
      child.kill(signal)
      return ended
    },
  }
}

/**
 * A workspace in real time whose keyring is that of a home, so that a spawned gate with that home can
 * open what it sealed.
 */
export async function homeWorkspace(
  { url, database }: { url: string; database: Database },
  home: string,
): Promise<Workspace> {
  const settings = await resolveSettings({
    environment: { CLEVERCTL_HOME: home, HOME: home, CLEVERCTL_DATABASE_URL: url },
  })
  const askPassphrase = () => Promise.reject(new Error('the keyring has no passphrase'))
  const keyring = openKeyring({ settings, database, askPassphrase })
  return testWorkspace(database, { clock: systemClock, keyring: () => keyring })
}
