import cluster from 'node:cluster'
import { join } from 'node:path'
import { homeDirectory } from '../config/home.js'
import { loadSigner } from '../signing-key/signer.js'
import { DEFAULT_TOKEN_TTL_MS } from '../token/types.js'
import type { Workspace } from '../workspace.js'
import { readCertificate, selfSignedCertificate, type ServerCertificate } from './certificate.js'
import { DeadlineError, withDeadline } from './deadline.js'
import { startGate, type RunningGate } from './gate.js'
import { DEFAULT_TIMEOUTS } from './http-server.js'
import { NO_LIMITS, parseLimits } from './limits.js'
import { LogStream } from './log-stream.js'
import { serveMetrics } from './metrics-server.js'
import { portError } from './port-error.js'
import { checkServeOptions, type ServeOptions } from './serve-options.js'
import { PORT_VARIABLE, STOP_MESSAGE, Workers } from './workers.js'

/** After SIGTERM the gate has this long to finish what it took in, in milliseconds. */
const STOP_MS = 10_000

/** What a gate says when it has stopped. */
export interface ServeResult {
  address: string
  port: number
  workers: number
}

/**
 * Runs the gate until the workspace's signal is aborted, then finishes what it took in. With several
 * workers this process only looks after them; each of them is this very command line again.
 * @throws UsageError for flags that contradict each other, ConflictError when the port is taken
 * @throws what {@link loadSigner} throws: a gate that can sign nothing does not begin to listen
 */
export async function serveGate(workspace: Workspace, options: ServeOptions): Promise<ServeResult> {
  checkServeOptions(options)
  await loadSigner(workspace)
  const logStream = new LogStream()
  try {
    const port =
      options.workers > 1 && cluster.isPrimary
        ? await serveWithWorkers(workspace, options, logStream)
        : await serveHere(workspace, options, logStream)
    return { address: options.address, port, workers: options.workers }
  } finally {
    await logStream.flush(STOP_MS / 10)
    cluster.worker?.disconnect()
  }
}

async function serveHere(
  workspace: Workspace,
  options: ServeOptions,
  logStream: LogStream,
): Promise<number> {
  const stopped = untilStopped(workspace.signal)
  // Before all that takes time: a question for metrics that nobody hears keeps everybody waiting.
  if (cluster.isWorker) new (await import('prom-client')).AggregatorRegistry()
  const certificate = await certificateFor(workspace, options)
  const { address, trustProxy, tokenTtlMs = DEFAULT_TOKEN_TTL_MS, logLevel } = options
  const port = cluster.isWorker ? Number(process.env[PORT_VARIABLE] ?? options.port) : options.port
  const gate = await startGate(workspace, {
    address,
    port,
    tls: certificate && { cert: certificate.cert, key: certificate.key },
    trustProxy,
    limits: options.limits === 'none' ? NO_LIMITS : parseLimits(options.limits),
    tokenTtlMs,
    timeouts: DEFAULT_TIMEOUTS,
    logLevel,
    logStream,
  }).catch((error: Error) => {
    throw portError(error, address, port)
  })
  const metrics = await exposeMetrics(gate, options.metricsPort).catch(async (error: unknown) => {
    await gate.stop()
    throw error
  })
  gate.say({
    event: 'started',
    profile: workspace.database.target.profile,
    database: workspace.database.target.description,
    fingerprint: certificate?.fingerprint,
    metricsPort: metrics?.port,
  })
  await stopped
  gate.say({ event: 'stopping' })
  await withDeadline(gate.stop(), STOP_MS).catch((error: unknown) => {
    if (!(error instanceof DeadlineError)) throw error
    gate.say({ event: 'stopped late' })
  })
  await metrics?.close()
  return gate.port
}

async function serveWithWorkers(
  workspace: Workspace,
  options: ServeOptions,
  logStream: LogStream,
): Promise<number> {
  // Made before there are several who would make it.
  await certificateFor(workspace, options)
  const workers = new Workers({ address: options.address, port: options.port, logStream })
  const port = await workers.start(options.workers)
  const { AggregatorRegistry } = await import('prom-client')
  const registry = new AggregatorRegistry()
  const metrics =
    options.metricsPort === undefined
      ? undefined
      : await serveMetrics(options.metricsPort, () => registry.clusterMetrics()).catch(
          async (error: unknown) => {
            await workers.stop(STOP_MS)
            throw error
          },
        )
  logStream.say('info', {
    event: 'started',
    workers: options.workers,
    address: options.address,
    port,
    metricsPort: metrics?.port,
  })
  await untilStopped(workspace.signal)
  await workers.stop(STOP_MS)
  await metrics?.close()
  return port
}

/** A worker's counters are collected by the process that looks after it. */
async function exposeMetrics(gate: RunningGate, port: number | undefined) {
  const { registry } = gate.metrics
  if (cluster.isWorker) {
    const { AggregatorRegistry } = await import('prom-client')
    AggregatorRegistry.setRegistries([registry])
    return undefined
  }
  return port === undefined ? undefined : serveMetrics(port, () => registry.metrics())
}

async function untilStopped(signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve())
    cluster.worker?.on('message', (message: { type?: unknown }) => {
      if (message.type === STOP_MESSAGE) resolve()
    })
  })
}

async function certificateFor(
  workspace: Workspace,
  { tls, selfSigned }: ServeOptions,
): Promise<ServerCertificate | undefined> {
  if (tls) return readCertificate(tls)
  if (!selfSigned) return undefined
  return selfSignedCertificate(join(homeDirectory(process.env), 'gate'), workspace)
}
