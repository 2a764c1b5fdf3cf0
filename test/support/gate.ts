import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import { Agent, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { apiKeyDigest, generateApiKey } from '../../src/lib/api-key/format.js'
import { systemClock, systemRandom } from '../../src/lib/clock.js'
import { resolveSettings } from '../../src/lib/config/settings.js'
import type { Database } from '../../src/lib/database/database.js'
import { deviceSecretDigest, makeDeviceSecret } from '../../src/lib/device/secret.js'
import { selfSignedCertificate, type ServerCertificate } from '../../src/lib/gate/certificate.js'
import { startGate, type GateOptions, type RunningGate } from '../../src/lib/gate/gate.js'
import { DEFAULT_TIMEOUTS } from '../../src/lib/gate/http-server.js'
import { NO_LIMITS } from '../../src/lib/gate/limits.js'
import { openKeyring } from '../../src/lib/keyring/open.js'
import { ensureSigningKeys } from '../../src/lib/signing-key/ensure.js'
import { loadSigner, type Signer } from '../../src/lib/signing-key/signer.js'
import { signToken } from '../../src/lib/token/sign.js'
import type { Workspace } from '../../src/lib/workspace.js'
import { PROGRAM } from './cli.js'
import { testWorkspace } from './database.js'

/** An answer of a gate. */
export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  text: string
  /** The body as JSON; an empty object where there was none. */
  body: Record<string, unknown>
}

/** A request to a gate. `body` is sent as JSON, `raw` as it is. */
export interface Ask {
  method?: string
  path: string
  headers?: Record<string, string | string[]>
  body?: unknown
  raw?: string | Buffer
  /** After so long without an answer the connection is given up; undefined = never. */
  timeoutMs?: number | undefined
}

/** Speaks HTTPS to one gate over connections that it keeps. */
export class GateClient {
  readonly port: number
  readonly certificate: string
  readonly #agent: Agent

  constructor(port: number, certificate: string, connections = 32) {
    this.port = port
    this.certificate = certificate
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections, ca: certificate })
  }

  /** Sends one request; rejects when the connection breaks. */
  async ask({ method, path, headers = {}, body, raw, timeoutMs }: Ask): Promise<Answer> {
    const payload = raw ?? (body === undefined ? undefined : JSON.stringify(body))
    const type: Record<string, string> =
      payload === undefined || 'content-type' in headers
        ? {}
        : { 'content-type': 'application/json' }
    return new Promise((resolve, reject) => {
      const outgoing = request(
        {
          host: '127.0.0.1',
          port: this.port,
          agent: this.#agent,
          method: method ?? (payload === undefined ? 'GET' : 'POST'),
          path,
          headers: { ...type, ...headers },
        },
        (incoming) => {
          const chunks: Buffer[] = []
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
          incoming.on('error', reject)
          incoming.on('end', () => {
            const text = Buffer.concat(chunks).toString('utf8')
            const { statusCode = 0, headers: answered } = incoming
            resolve({ status: statusCode, headers: answered, text, body: parse(text) })
          })
        },
      )
      outgoing.on('error', reject)
      if (timeoutMs !== undefined)
        outgoing.setTimeout(timeoutMs, () => outgoing.destroy(new Error('no answer in time')))
      outgoing.end(payload)
    })
  }

  /** Sends readings. @param timeoutMs after so long without an answer it gives up, as a logger does */
  async post(credentials: Credentials, readings: unknown, timeoutMs?: number): Promise<Answer> {
    const headers = headersOf(credentials)
    return this.ask({ path: '/v1/data', headers, body: { readings }, timeoutMs })
  }

  /** Asks for the decision alone. */
  async authorize(credentials: Credentials): Promise<Answer> {
    return this.ask({ path: '/v1/authorize', headers: headersOf(credentials) })
  }

  /** Closes its connections. */
  close(): void {
    this.#agent.destroy()
  }
}

/** What a logger shows. */
export interface Credentials {
  apiKey?: string | undefined
  token?: string | undefined
}

/** The headers of credentials. */
export function headersOf({ apiKey, token }: Credentials): Record<string, string> {
  return {
    ...(apiKey === undefined ? {} : { 'x-api-key': apiKey }),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  }
}

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}

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
  const logStream = { write: (line: string) => void log.push(parse(line)) }
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
export async function untilReady(client: GateClient, ms = 20_000): Promise<void> {
  await until(async () => {
    const answer = await client.ask({ path: '/readyz' }).catch(() => undefined)
    return answer?.status === 200
  }, ms)
}

/** Polls until `condition` holds; fails after `ms` milliseconds. @returns how long it took */
export async function until(
  condition: () => boolean | Promise<boolean>,
  ms = 5_000,
): Promise<number> {
  const began = performance.now()
  while (!(await condition())) {
    if (performance.now() - began > ms) throw new Error(`nothing of the kind within ${ms} ms`)
    await delay(5)
  }
  return performance.now() - began
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
    }, given.readyMs ?? 20_000)
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

/** A device of a test's plant. */
export interface TestDevice {
  id: string
  serial: string
  secret: string
}

/** An installation with its key, and everything to make more of the kind. */
export interface TestPlant {
  database: Database
  workspace: Workspace
  signer: Signer
  installation: { id: string; code: string }
  installerId: string
  apiKey: string
  keyId: string
  /** Another installation of the same kind. */
  addInstallation(
    code: string,
  ): Promise<{ id: string; code: string; apiKey: string; keyId: string }>
  /** Registers a device; with `at` it is installed at that installation. */
  addDevice(serial: string, at?: { id: string }): Promise<TestDevice>
  /** A key of an installation; gives its text. */
  addKey(
    installationId: string,
    row?: Record<string, unknown>,
  ): Promise<{ apiKey: string; keyId: string }>
  /** A token as the gate would sign it, with changes. */
  token(
    serial: string,
    changes?: { installation?: string; ttlMs?: number; epochs?: [number, number] },
  ): string
}

/**
 * Puts an installation `solar-0042` with an API key, an installer and signing keys into a fresh database,
 * by SQL as an owner would, so that a test of the gate depends on the gate.
 * @param given.workspace with the keyring that seals the signing keys; real time where absent
 */
export async function preparePlant(
  database: Database,
  given: { workspace?: Workspace } = {},
): Promise<TestPlant> {
  const workspace = given.workspace ?? testWorkspace(database, { clock: systemClock })
  await ensureSigningKeys(workspace)
  const signer = await loadSigner(workspace)
  let version = 0
  const addKey: TestPlant['addKey'] = async (installationId, row = {}) => {
    const { apiKey, keyId } = generateApiKey(systemRandom)
    const columns = {
      key_id: keyId,
      installation_id: installationId,
      version: (version += 1),
      state: 'CURRENT',
      digest: apiKeyDigest(apiKey.reveal()),
      ...row,
    }
    await insert(database, 'api_key', columns)
    return { apiKey: apiKey.reveal(), keyId }
  }
  const addInstallation: TestPlant['addInstallation'] = async (code) => {
    const id = await insert(database, 'installation', {
      code,
      name: code,
      timezone: 'Europe/Madrid',
      latitude: 36.84,
      longitude: -2.46,
    })
    return { id, code, ...(await addKey(id)) }
  }
  const installerId = await insert(database, 'installer', {
    email: 'installer@example.com',
    name: 'Installer',
    password_hash: randomBytes(8).toString('hex'),
  })
  const { apiKey, keyId, ...installation } = await addInstallation('solar-0042')
  return {
    database,
    workspace,
    signer,
    installation,
    installerId,
    apiKey,
    keyId,
    addInstallation,
    addKey,
    addDevice: async (serial, at) => {
      const secret = makeDeviceSecret(systemRandom).reveal()
      const id = await insert(database, 'device', {
        serial,
        model: 'CleverDx',
        batch: 'B-1',
        manufactured_at: new Date('2026-01-02'),
        secret_sha256: deviceSecretDigest(secret),
      })
      if (at) {
        await database.query(
          `insert into cleverctl.placement (device_id, installation_id, installer_id, during)
           values ($1, $2, $3, tstzrange(now() - interval '1 day', null))`,
          [id, at.id, installerId],
        )
      }
      return { id, serial, secret }
    },
    token: (serial, changes = {}) => {
      const { installation: code = installation.code, ttlMs = 900_000 } = changes
      const [installationEpoch, deviceEpoch] = changes.epochs ?? [0, 0]
      const { clock, random } = workspace
      return signToken(
        signer,
        { audience: 'ingest', installation: code, serial, installationEpoch, deviceEpoch },
        { clock, random, ttlMs },
      ).token.reveal()
    },
  }
}

async function insert(
  database: Database,
  table: string,
  columns: Record<string, unknown>,
): Promise<string> {
  const names = Object.keys(columns)
  const { rows } = await database.query<{ id: string }>(
    `insert into cleverctl.${table} (${names.join(', ')})
     values (${names.map((_, index) => `$${index + 1}`).join(', ')}) returning id`,
    Object.values(columns),
  )
  return rows[0]?.id ?? ''
}
