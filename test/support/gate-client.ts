import type { IncomingHttpHeaders } from 'node:http'
import { Agent, request } from 'node:https'
import { parseObject } from '../../src/lib/json.js'

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
            resolve({ status: statusCode, headers: answered, text, body: parseObject(text) ?? {} })
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
