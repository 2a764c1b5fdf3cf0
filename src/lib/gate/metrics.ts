import type { Counter, Histogram, Registry } from 'prom-client'
import type { Refusal } from './arrivals.js'

/** What is read when somebody asks for the metrics. */
export interface Gauges {
  waitingReadings(): number
  isListening(): boolean
}

/** What the gate counts, for Prometheus. No serial, key or address is a label: there are too many of them. */
export class Metrics {
  readonly registry: Registry
  readonly #requests: Counter<'route' | 'status'>
  readonly #seconds: Histogram<'route'>
  readonly #refused: Counter<'requirement' | 'code' | 'route'>
  readonly #readings: Counter<'result'>
  readonly #limited: Counter<'limit'>
  readonly #logins: Counter<'outcome'>
  readonly #failures: Counter<'work'>
  readonly #handedOver: Counter

  private constructor(library: typeof import('prom-client'), gauges: Gauges) {
    const registry = new library.Registry()
    const registers = [registry]
    this.registry = registry
    this.#requests = new library.Counter({
      name: 'cleverctl_gate_requests_total',
      help: 'Requests answered',
      labelNames: ['route', 'status'],
      registers,
    })
    this.#seconds = new library.Histogram({
      name: 'cleverctl_gate_request_seconds',
      help: 'Time from the head of a request to its answer',
      labelNames: ['route'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers,
    })
    this.#refused = new library.Counter({
      name: 'cleverctl_gate_refused_total',
      help: 'Arrivals refused',
      labelNames: ['requirement', 'code', 'route'],
      registers,
    })
    this.#readings = new library.Counter({
      name: 'cleverctl_gate_readings_total',
      help: 'Readings acknowledged, stored or known already',
      labelNames: ['result'],
      registers,
    })
    this.#limited = new library.Counter({
      name: 'cleverctl_gate_limited_total',
      help: 'Requests answered 429',
      labelNames: ['limit'],
      registers,
    })
    this.#logins = new library.Counter({
      name: 'cleverctl_gate_logins_total',
      help: 'Logins of the mobile app',
      labelNames: ['outcome'],
      registers,
    })
    this.#failures = new library.Counter({
      name: 'cleverctl_gate_failures_total',
      help: 'Work that failed, mostly because of the database',
      labelNames: ['work'],
      registers,
    })
    this.#handedOver = new library.Counter({
      name: 'cleverctl_gate_keys_handed_over_total',
      help: 'Answers that held a new API key, for a device that came with a former one',
      registers,
    })
    new library.Gauge({
      name: 'cleverctl_gate_waiting_readings',
      help: 'Readings that wait for their commit',
      registers,
      collect() {
        this.set(gauges.waitingReadings())
      },
    })
    new library.Gauge({
      name: 'cleverctl_gate_listening',
      help: '1 while notifications of revocations arrive; 0 while every decision asks the database',
      aggregator: 'min',
      registers,
      collect() {
        this.set(gauges.isListening() ? 1 : 0)
      },
    })
  }

  /** Loads the library and sets the counters up, those of the process included. */
  static async open(gauges: Gauges): Promise<Metrics> {
    const library = await import('prom-client')
    const metrics = new Metrics(library, gauges)
    library.collectDefaultMetrics({ register: metrics.registry, prefix: 'cleverctl_gate_' })
    return metrics
  }

  /** The counter of a route's answers, by status and time in milliseconds. */
  route(route: string): (status: number, ms: number) => void {
    // Looking labels up costs more than counting, and there are few of these.
    const seconds = this.#seconds.labels(route)
    const requests = new Map<number, { inc(): void }>()
    return (status, ms) => {
      let counter = requests.get(status)
      if (counter === undefined) {
        counter = this.#requests.labels(route, String(status))
        requests.set(status, counter)
      }
      counter.inc()
      seconds.observe(ms / 1000)
    }
  }

  /** Counts a refused arrival. */
  refused({ requirement, code }: Refusal, route: string): void {
    this.#refused.inc({ requirement: String(requirement), code, route })
  }

  /** Counts acknowledged readings. */
  readings(accepted: number, duplicates: number): void {
    if (accepted > 0) this.#readings.inc({ result: 'accepted' }, accepted)
    if (duplicates > 0) this.#readings.inc({ result: 'duplicate' }, duplicates)
  }

  /** Counts a new API key in an answer. */
  handedOver(): void {
    this.#handedOver.inc()
  }

  /** Counts a 429. */
  limited(limit: 'address' | 'arrival'): void {
    this.#limited.inc({ limit })
  }

  /** Counts a login. */
  login(outcome: string): void {
    this.#logins.inc({ outcome })
  }

  /** Counts work that failed. */
  failed(work: string): void {
    this.#failures.inc({ work })
  }
}
