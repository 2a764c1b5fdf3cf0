import { askGate, type GateAddress, type GateAnswer } from './http.js'

/** What a logger holds in its flash: who it is, its own secret, the keys of its installation. */
export interface LoggerMemory {
  serial: string
  secret: string
  /** The key that was accepted last. */
  apiKey: string
  /** A key that the gate handed over and that was not accepted yet. */
  nextApiKey?: string | undefined
  /** The version of the Wi-Fi passphrase in use, as the gate counts; undefined for the one it was installed with. */
  wifiVersion?: number | undefined
}

/** A Wi-Fi passphrase that the gate handed over. */
export interface HandedOverWifi {
  ssid: string
  passphrase: string
  version: number
}

/** Memory that survives a power cut. A write happens whole or not at all. */
export interface Flash {
  read(): Promise<LoggerMemory>
  write(memory: LoggerMemory): Promise<void>
}

/** One measurement of a logger. */
export interface LoggerReading {
  at: Date
  values: Record<string, number>
}

/** Sends one request to the gate. */
export type Ask = (request: Parameters<typeof askGate>[1]) => Promise<GateAnswer>

/** The gate tells whole seconds, and its answer takes a while to arrive. */
const CLOCK_TOLERANCE_MS = 5_000

/**
 * The reference logger: what docs/protocol.md asks of a CleverDx data logger, and nothing that firmware
 * could not do. Its power may be cut between any two steps; it then goes on from its flash.
 *
 * A key that the gate hands over is kept beside the one in use, tried from then on, and takes its place
 * when it was accepted once. Refused, it is dropped, and the former key goes on working.
 */
export class ReferenceLogger {
  readonly #ask: Ask
  readonly #flash: Flash
  readonly #clock: () => Date
  readonly #join: (wifi: HandedOverWifi) => Promise<boolean>
  /** How far the gate's clock is ahead of ours, in milliseconds; lost at a power cut, like the token. */
  #aheadMs = 0
  #token: string | undefined

  /**
   * @param given.ask the way to the gate
   * @param given.clock its own clock, which may be wrong
   * @param given.join joins a Wi-Fi; when that fails it goes back to the one it was in, and says so by false
   */
  constructor(given: {
    ask: Ask
    flash: Flash
    clock?: () => Date
    join?: (wifi: HandedOverWifi) => Promise<boolean>
  }) {
    this.#ask = given.ask
    this.#flash = given.flash
    this.#clock = given.clock ?? (() => new Date())
    this.#join = given.join ?? (async () => false)
  }

  /** The present, by its own clock and what it learned of the gate's. */
  now(): Date {
    return new Date(this.#clock().getTime() + this.#aheadMs)
  }

  /**
   * Asks for a token with its own secret; keeps it when the gate gives one. This is where a key that was
   * handed over is found to be no good: the token is not there yet to be at fault.
   */
  async fetchToken(): Promise<GateAnswer> {
    const memory = await this.#flash.read()
    const answer = await this.#exchange(memory, {
      path: '/v1/token',
      headers: { 'x-api-key': keyOf(memory) },
      body: { serial: memory.serial, secret: memory.secret },
    })
    if (answer.status === 200) this.#token = String(answer.body.token)
    if (answer.status !== 401 || memory.nextApiKey === undefined) return answer
    await this.#flash.write({ ...memory, nextApiKey: undefined })
    return this.fetchToken()
  }

  /**
   * Posts what `measure` gives, with a fresh token when there is none yet or the gate refused the old one.
   * @param measure called with the present, when the logger knows it
   */
  async post(measure: (now: Date) => readonly LoggerReading[]): Promise<GateAnswer> {
    if (this.#token === undefined) {
      const answer = await this.fetchToken()
      if (answer.status !== 200) return answer
    }
    const body = { readings: measure(this.now()).map(toJson) }
    const first = await this.#send(body)
    if (first.status !== 401) return first
    this.#token = undefined
    const renewed = await this.fetchToken()
    return renewed.status === 200 ? this.#send(body) : renewed
  }

  async #send(body: object): Promise<GateAnswer> {
    const memory = await this.#flash.read()
    const authorization = `Bearer ${this.#token ?? ''}`
    const headers = { 'x-api-key': keyOf(memory), authorization }
    return this.#exchange(memory, { path: '/v1/data', headers, body })
  }

  /** Sends a request with the key of `memory` and keeps what the answer teaches about keys and time. */
  async #exchange(
    memory: LoggerMemory,
    request: { path: string; headers: Record<string, string>; body: object },
  ): Promise<GateAnswer> {
    const { wifiVersion } = memory
    const version = wifiVersion === undefined ? {} : { 'x-wifi-version': String(wifiVersion) }
    const headers = { ...request.headers, ...version }
    const answer = await this.#ask({ method: 'POST', ...request, headers })
    this.#setClock(answer)
    if (!isAccepted(answer)) return answer
    const used = keyOf(memory)
    const handedOver = handedOverKey(answer)
    const nextApiKey = handedOver === used ? undefined : handedOver
    const kept = { ...memory, apiKey: used, nextApiKey }
    if (used !== memory.apiKey || nextApiKey !== memory.nextApiKey) await this.#flash.write(kept)
    const wifi = handedOverWifi(answer)
    if (wifi && wifi.version !== wifiVersion && (await this.#join(wifi)))
      await this.#flash.write({ ...kept, wifiVersion: wifi.version })
    return answer
  }

  #setClock({ headers }: GateAnswer): void {
    const at = Date.parse(headers.date ?? '')
    // A clock that is set for every answer gives two readings the same time.
    if (!Number.isNaN(at) && Math.abs(at - this.now().getTime()) > CLOCK_TOLERANCE_MS)
      this.#aheadMs = at - this.#clock().getTime()
  }
}

/** The way to a gate at an address. */
export function wayTo(gate: GateAddress): Ask {
  return (request) => askGate(gate, request)
}

/** A flash in memory, for a logger whose power is never cut. */
export function memoryFlash(memory: LoggerMemory): Flash {
  let kept = memory
  return {
    read: async () => kept,
    write: async (next) => {
      kept = next
    },
  }
}

/** The key to use: what was handed over is tried first. */
function keyOf({ apiKey, nextApiKey }: LoggerMemory): string {
  return nextApiKey ?? apiKey
}

function isAccepted({ status }: GateAnswer): boolean {
  return status >= 200 && status < 300
}

/** `credentials.apiKey.value` of an accepted answer. */
function handedOverKey(answer: GateAnswer): string | undefined {
  const { credentials } = answer.body as { credentials?: { apiKey?: { value?: unknown } } }
  const value = credentials?.apiKey?.value
  return isAccepted(answer) && typeof value === 'string' ? value : undefined
}

/** `credentials.wifi` of an accepted answer. */
function handedOverWifi({ body }: GateAnswer): HandedOverWifi | undefined {
  const { credentials } = body as { credentials?: { wifi?: HandedOverWifi } }
  return credentials?.wifi
}

function toJson({ at, values }: LoggerReading): object {
  return { at: at.toISOString(), values }
}
