import type { RateLimiterMemory } from 'rate-limiter-flexible'
import { UsageError } from '../errors.js'
import { network } from './address.js'

/** How much is taken in, per window of ten seconds; 0 lifts a limit. Counted in each process by itself. */
export interface LimitSettings {
  /** Requests of one address. Many loggers may share one behind a carrier's NAT. */
  perAddress: number
  /** Arrivals with one API key: a whole installation. */
  perKey: number
  /** Arrivals of one device. */
  perDevice: number
  /** Refused arrivals, malformed requests and failed logins of one address. */
  failuresPerAddress: number
}

/** A logger posts once a minute; these leave room for a fleet that comes back after an outage. */
export const DEFAULT_LIMITS: LimitSettings = {
  perAddress: 20_000,
  perKey: 10_000,
  perDevice: 5_000,
  failuresPerAddress: 2_000,
}

/** No limits at all, for measuring. */
export const NO_LIMITS: LimitSettings = {
  perAddress: 0,
  perKey: 0,
  perDevice: 0,
  failuresPerAddress: 0,
}

const WINDOW_S = 10

const NAMES: Record<string, keyof LimitSettings> = {
  address: 'perAddress',
  key: 'perKey',
  device: 'perDevice',
  failures: 'failuresPerAddress',
}

/**
 * The usual limits with changes such as `device=100`; a count of 0 lifts a limit.
 * @throws UsageError
 */
export function parseLimits(changes: readonly string[]): LimitSettings {
  const limits = { ...DEFAULT_LIMITS }
  for (const change of changes) {
    const [, name = '', count] = /^([a-z]+)=(\d{1,9})$/.exec(change) ?? []
    const limit = NAMES[name]
    if (limit === undefined) {
      throw new UsageError('bad-limit', `not a limit: ${JSON.stringify(change.slice(0, 60))}`, {
        suggestions: [`--limit NAME=COUNT, the name one of ${Object.keys(NAMES).join(', ')}`],
      })
    }
    limits[limit] = Number(count)
  }
  return limits
}

/** Seconds to wait, when a limit is reached. */
export type RetryAfter = number

type Limiter = Pick<RateLimiterMemory, 'consume' | 'get' | 'penalty'>

/** Counts requests and failures of addresses, keys and devices. */
export class Limits {
  readonly #address: Limiter | undefined
  readonly #key: Limiter | undefined
  readonly #device: Limiter | undefined
  readonly #failures: Limiter | undefined
  readonly #failuresMax: number

  private constructor(limiters: {
    address: Limiter | undefined
    key: Limiter | undefined
    device: Limiter | undefined
    failures: Limiter | undefined
    failuresMax: number
  }) {
    this.#address = limiters.address
    this.#key = limiters.key
    this.#device = limiters.device
    this.#failures = limiters.failures
    this.#failuresMax = limiters.failuresMax
  }

  /** Loads the library and sets the counters up. */
  static async open(settings: LimitSettings): Promise<Limits> {
    const { RateLimiterMemory } = await import('rate-limiter-flexible')
    const limiter = (points: number) =>
      points === 0 ? undefined : new RateLimiterMemory({ points, duration: WINDOW_S })
    return new Limits({
      address: limiter(settings.perAddress),
      key: limiter(settings.perKey),
      device: limiter(settings.perDevice),
      failures: limiter(settings.failuresPerAddress),
      failuresMax: settings.failuresPerAddress,
    })
  }

  /** Whether requests of an address are counted at all. */
  get countsRequests(): boolean {
    return this.#address !== undefined || this.#failures !== undefined
  }

  /** Whether arrivals of a key or a device are counted at all. */
  get countsArrivals(): boolean {
    return this.#key !== undefined || this.#device !== undefined
  }

  /** Counts a request of an address; gives the seconds to wait when it may not come now. */
  async request(address: string): Promise<RetryAfter | undefined> {
    const name = network(address)
    const failed = await this.#failures?.get(name)
    if (failed && failed.consumedPoints >= this.#failuresMax) return seconds(failed.msBeforeNext)
    return consume(this.#address, name)
  }

  /** Counts an accepted arrival of a key and a device; gives the seconds to wait when it is one too many. */
  async arrival(keyId: string, serial: string): Promise<RetryAfter | undefined> {
    return (await consume(this.#key, keyId)) ?? consume(this.#device, serial)
  }

  /** Counts a failure of an address; `weight` for one that costs more than others. */
  fail(address: string, weight = 1): void {
    void this.#failures?.penalty(network(address), weight)
  }
}

async function consume(
  limiter: Limiter | undefined,
  name: string,
): Promise<RetryAfter | undefined> {
  if (limiter === undefined) return undefined
  try {
    await limiter.consume(name)
    return undefined
  } catch (rejection) {
    // The library rejects with its counter's state when the limit is reached.
    if (rejection instanceof Error) throw rejection
    return seconds((rejection as { msBeforeNext: number }).msBeforeNext)
  }
}

function seconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1000))
}
