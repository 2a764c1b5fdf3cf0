import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { portError } from './port-error.js'

/** Metrics tell an attacker how far he has come, so they are served to this machine only. */
const LOOPBACK = '127.0.0.1'

/**
 * Serves `GET /metrics` in Prometheus' text form on a port of the loopback address.
 * @param render gives the text at each request
 * @throws ConflictError when the port is taken
 */
export async function serveMetrics(
  port: number,
  render: () => Promise<string>,
): Promise<{ port: number; close(): Promise<void> }> {
  const { createServer } = await import('node:http')
  const server: Server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') {
      response.writeHead(404).end()
      return
    }
    render().then(
      (text) => {
        response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' })
        response.end(text)
      },
      () => response.writeHead(503).end(),
    )
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(portError(error, LOOPBACK, port, '--metrics-port')))
    server.listen(port, LOOPBACK, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
