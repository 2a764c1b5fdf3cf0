import type { FastifyBaseLogger } from 'fastify'
import type { AddressInfo } from 'node:net'
import type { Log, Workspace } from '../workspace.js'
import { Addresses } from './addresses.js'
import { Arrivals } from './arrivals.js'
import { BoundedDatabase } from './bounded.js'
import type { GateContext } from './context.js'
import { withDeadline } from './deadline.js'
import { harmless } from './harmless.js'
import { makeHttpServer, type HttpOptions } from './http-server.js'
import { KeyUsage } from './key-usage.js'
import { Limits, type LimitSettings } from './limits.js'
import { Listener } from './listener.js'
import { Memory } from './memory.js'
import { Metrics } from './metrics.js'
import { ReadingWriter } from './reading-writer.js'
import { RefusalCounter } from './refusal-counter.js'
import { Sightings } from './sightings.js'
import { SignerSource } from './signer-source.js'
import { Successors } from './successors.js'
import { WifiMoves } from './wifi-moves.js'

/** Partitions are made so long ahead of their month, and looked after so often. */
const PARTITION_AHEAD_MS = 14 * 24 * 60 * 60_000
const PARTITION_CHECK_MS = 60 * 60_000

/** Requests under way have this long to end; what is left then is cut, and the counters are written down. */
const FINISH_MS = 7_000
const RESTING_MS = 50

/** How one gate process works. */
export interface GateOptions extends HttpOptions {
  address: string
  /** 0 takes a free one. */
  port: number
  limits: LimitSettings
  /** Life of a device's token, in milliseconds. */
  tokenTtlMs: number
}

/** A gate that listens. */
export interface RunningGate {
  port: number
  metrics: Metrics
  /** Writes a line of the gate's log. */
  say(event: Record<string, unknown>): void
  /** Takes in nothing more, finishes what was taken in, writes the counters down. */
  stop(): Promise<void>
}

/**
 * Starts one gate process.
 * @param workspace its database must be the gate's own, opened without an abort signal
 * @throws node's own error when the port cannot be listened on
 */
export async function startGate(workspace: Workspace, options: GateOptions): Promise<RunningGate> {
  const { app, gate, connections } = await makeHttpServer(
    options,
    (log) => makeContext(workspace, options, log),
    workspace.random,
  )
  const listener = new Listener({
    workspace: gate.workspace,
    memory: gate.memory,
    onChange: (payload) => {
      if (payload === '' || payload.startsWith('signing-key:')) gate.signer.forget()
      if (payload === '' || payload.startsWith('api-key:')) gate.successors.forget()
    },
  })
  listener.start()
  gate.refusals.start()
  gate.usage.start()
  gate.sightings.start()
  gate.addresses.start()
  gate.wifiMoves.start()
  const partitions = keepPartitions(gate)
  const stop = async () => {
    const closed = app.close()
    connections.close()
    // Node goes on waiting for a connection that rests only now, after its last answer.
    const resting = setInterval(() => app.server.closeIdleConnections(), RESTING_MS)
    await withDeadline(closed, FINISH_MS).catch(() => app.server.closeAllConnections())
    clearInterval(resting)
    clearInterval(partitions)
    await gate.writer.drain()
    await Promise.all([
      gate.refusals.stop(),
      gate.usage.stop(),
      gate.sightings.stop(),
      gate.addresses.stop(),
      gate.wifiMoves.stop(),
    ])
    await listener.stop()
  }
  try {
    await app.listen({
      host: options.address,
      port: options.port,
      listenTextResolver: (url) => `listening on ${url}`,
    })
  } catch (error) {
    await stop()
    throw error
  }
  const { port } = app.server.address() as AddressInfo
  return {
    port,
    metrics: gate.metrics,
    say: (event) => app.log.info({ ...event, address: options.address, port }),
    stop,
  }
}

async function makeContext(
  given: Workspace,
  options: GateOptions,
  log: FastifyBaseLogger,
): Promise<GateContext> {
  const workspace = { ...given, log: workspaceLog(log) }
  const { clock, actor } = workspace
  const database = new BoundedDatabase(workspace.database)
  const memory = new Memory()
  const writer = new ReadingWriter(database)
  const metrics = await Metrics.open({
    waitingReadings: () => writer.waitingRows,
    isListening: () => memory.isTrusted,
  })
  const onFailure = (work: string) => (error: unknown) => {
    metrics.failed(work)
    log.error({ event: 'unavailable', work, ...harmless(error, false) })
  }
  const wifiMoves = new WifiMoves({ database, clock, onFailure: onFailure('wifi-moves') })
  return {
    workspace,
    database,
    memory,
    arrivals: new Arrivals({ database, memory, clock }),
    limits: await Limits.open(options.limits),
    metrics,
    signer: new SignerSource(workspace, memory),
    writer,
    refusals: new RefusalCounter({ database, clock, onFailure: onFailure('refusals') }),
    usage: new KeyUsage({ database, onFailure: onFailure('key-usage') }),
    sightings: new Sightings({ database, clock, actor, onFailure: onFailure('sightings') }),
    addresses: new Addresses({ database, clock, onFailure: onFailure('addresses') }),
    successors: new Successors({
      workspace,
      database,
      memory,
      wifiMoves,
      onHandOver: () => metrics.handedOver(),
      onFailure: onFailure('hand-over'),
    }),
    wifiMoves,
    tokenTtlMs: options.tokenTtlMs,
  }
}

/** Makes this month's partition and the next one's before anything is to be put into them. */
function keepPartitions({ workspace, writer }: GateContext): NodeJS.Timeout {
  const prepare = () => {
    const now = workspace.clock.now()
    const ahead = new Date(now.getTime() + PARTITION_AHEAD_MS)
    writer.prepare([now, ahead]).catch(() => {
      workspace.log.warn('a partition for readings could not be made; it is tried again')
    })
  }
  prepare()
  return setInterval(prepare, PARTITION_CHECK_MS)
}

function workspaceLog(log: FastifyBaseLogger): Log {
  return {
    info: (message) => log.info({ event: 'notice' }, message),
    warn: (message) => log.warn({ event: 'warning' }, message),
    debug: (message) => log.debug({ event: 'detail' }, message),
    progress: () => undefined,
  }
}
