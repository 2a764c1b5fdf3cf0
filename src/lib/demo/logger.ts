import { askGate, type GateAddress, type GateAnswer } from './http.js'

/** What a logger holds in its flash: who it is, its own secret, the key of its installation. */
export interface LoggerIdentity {
  serial: string
  secret: string
  apiKey: string
}

/**
 * A simulated CleverDx data logger: fetches a token when it has none or the gate says that the old
 * one is over, and posts readings. It does nothing that firmware could not do.
 */
export class SimulatedLogger {
  readonly #gate: GateAddress
  #identity: LoggerIdentity
  #token: string | undefined

  constructor(gate: GateAddress, identity: LoggerIdentity) {
    this.#gate = gate
    this.#identity = identity
  }

  /** Another API key, as it arrives after a rotation. The token stays: it belongs to the device. */
  useApiKey(apiKey: string): void {
    this.#identity = { ...this.#identity, apiKey }
  }

  /** Asks for a token with the device's own secret; keeps it when the gate gives one. */
  async fetchToken(): Promise<GateAnswer> {
    const answer = await askGate(this.#gate, {
      method: 'POST',
      path: '/v1/token',
      headers: { 'x-api-key': this.#identity.apiKey },
      body: { serial: this.#identity.serial, secret: this.#identity.secret },
    })
    if (answer.status === 200) this.#token = String(answer.body.token)
    return answer
  }

  /** Posts readings, with a fresh token when there is none yet or the gate refused the old one. */
  async post(
    readings: readonly { at: Date; values: Record<string, number> }[],
  ): Promise<GateAnswer> {
    if (this.#token === undefined) {
      const answer = await this.fetchToken()
      if (answer.status !== 200) return answer
    }
    const first = await this.#send(readings)
    if (first.status !== 401) return first
    const renewed = await this.fetchToken()
    return renewed.status === 200 ? this.#send(readings) : renewed
  }

  async #send(
    readings: readonly { at: Date; values: Record<string, number> }[],
  ): Promise<GateAnswer> {
    return askGate(this.#gate, {
      method: 'POST',
      path: '/v1/data',
      headers: {
        'x-api-key': this.#identity.apiKey,
        authorization: `Bearer ${this.#token ?? ''}`,
      },
      body: { readings: readings.map(({ at, values }) => ({ at: at.toISOString(), values })) },
    })
  }
}
