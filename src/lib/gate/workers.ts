import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { FailureError } from '../errors.js'
import type { LogStream } from './log-stream.js'
import { portError } from './port-error.js'

/** A worker that dies at once is not started at once again. */
const RESTART_MIN_MS = 200
const RESTART_MAX_MS = 10_000
/** One that lived so long has died of something else. */
const HEALTHY_MS = 60_000

/** The message by which a worker is asked to finish and stop. */
export const STOP_MESSAGE = 'cleverctl:stop'

/** In a worker's environment: the port that the first worker got. */
export const PORT_VARIABLE = 'CLEVERCTL_GATE_PORT'

/** Workers that share one port. */
export class Workers {
  readonly #logStream: LogStream
  readonly #address: string
  readonly #failures: number[] = []
  #port: number
  #stopping = false
  #onListening: (() => void) | undefined
  #onFailed: ((error: FailureError) => void) | undefined

  constructor(given: { address: string; port: number; logStream: LogStream }) {
    this.#address = given.address
    this.#port = given.port
    this.#logStream = given.logStream
  }

  /**
   * Starts workers, each with this process's own command line, and starts a new one for each that dies.
   * @returns the port, once the first worker listens
   * @throws ConflictError when the port is taken, FailureError when no worker comes up
   */
  async start(count: number): Promise<number> {
    await this.#probe()
    // A worker's result is nobody's; its log goes where ours goes.
    cluster.setupPrimary({ stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    cluster.on('exit', (worker, code, signal) => void this.#replace(worker, code, signal))
    cluster.on('listening', (_worker, address) => {
      this.#port = address.port
      this.#onListening?.()
    })
    const listening = new Promise<void>((resolve, reject) => {
      this.#onListening = resolve
      this.#onFailed = reject
    })
    for (let started = 0; started < count; started += 1) this.#fork()
    await listening
    this.#onFailed = undefined
    return this.#port
  }

  /** Asks all workers to finish and waits for them; after `ms` milliseconds they are killed. */
  async stop(ms: number): Promise<void> {
    this.#stopping = true
    const workers = Object.values(cluster.workers ?? {}).filter((each) => each !== undefined)
    const gone = Promise.all(workers.map((worker) => once(worker, 'exit')))
    for (const worker of workers) if (worker.isConnected()) worker.send({ type: STOP_MESSAGE })
    const timer = setTimeout(() => {
      for (const worker of workers) worker.process.kill('SIGKILL')
    }, ms)
    await gone
    clearTimeout(timer)
  }

  #fork(): void {
    const worker = cluster.fork(this.#port === 0 ? {} : { [PORT_VARIABLE]: String(this.#port) })
    const startedAt = performance.now()
    worker.once('exit', () => {
      if (performance.now() - startedAt > HEALTHY_MS) this.#failures.length = 0
    })
  }

  async #replace(worker: Worker, code: number | null, signal: string | null): Promise<void> {
    if (this.#stopping) return
    if (this.#onFailed) {
      // It has said itself what is wrong, and the next one would say the same.
      this.#onFailed(new FailureError('worker-failed', 'the workers of the gate cannot start'))
      return
    }
    const wait = Math.min(RESTART_MIN_MS * 2 ** this.#failures.length, RESTART_MAX_MS)
    this.#failures.push(wait)
    this.#logStream.say('warn', {
      event: 'worker.died',
      pid: worker.process.pid,
      code,
      signal,
      restartInMs: wait,
    })
    await delay(wait, undefined, { ref: false })
    if (!this.#stopping) this.#fork()
  }

  /** Only one process can tell the user in time that the port is taken. */
  async #probe(): Promise<void> {
    const server = createServer()
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(portError(error, this.#address, this.#port)))
      server.listen(this.#port, this.#address, resolve)
    })
    if (this.#port === 0) this.#port = (server.address() as AddressInfo).port
    await new Promise((resolve) => server.close(resolve))
  }
}
