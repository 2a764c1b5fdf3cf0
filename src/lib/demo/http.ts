import type { IncomingHttpHeaders } from 'node:http'
import { parseObject } from '../json.js'

/** Where a gate listens and the certificate it must show. */
export interface GateAddress {
  host: string
  port: number
  /** PEM of the certificate (or its authority) that is trusted, and no other. */
  certificate: string
}

/** One answer of the gate. */
export interface GateAnswer {
  status: number
  headers: IncomingHttpHeaders
  /** The JSON body; an empty object where there was none. */
  body: Record<string, unknown>
}

/**
 * Sends one HTTPS request to a gate and reads the whole answer. Certificates are verified against
 * the given one only. Throws node's own error when the gate cannot be reached within 10 seconds.
 */
export async function askGate(
  gate: GateAddress,
  request: {
    method: string
    path: string
    headers?: Record<string, string>
    body?: unknown
  },
): Promise<GateAnswer> {
  const { request: open } = await import('node:https')
  const payload = request.body === undefined ? undefined : JSON.stringify(request.body)
  return new Promise((resolve, reject) => {
    const outgoing = open(
      {
        host: gate.host,
        port: gate.port,
        ca: gate.certificate,
        method: request.method,
        path: request.path,
        agent: false,
        timeout: 10_000,
        headers: {
          ...request.headers,
          ...(payload === undefined
            ? {}
            : {
                'content-type': 'application/json',
                'content-length': String(Buffer.byteLength(payload)),
              }),
        },
      },
      (incoming) => {
        const chunks: Buffer[] = []
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
        incoming.on('error', reject)
        incoming.on('end', () => {
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            body: parseObject(Buffer.concat(chunks).toString('utf8')) ?? {},
          })
        })
      },
    )
    outgoing.on('timeout', () => outgoing.destroy(new Error('the gate did not answer in time')))
    outgoing.on('error', reject)
    outgoing.end(payload)
  })
}
