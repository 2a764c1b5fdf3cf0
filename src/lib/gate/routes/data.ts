import type { FastifyInstance } from 'fastify'
import { authorizeArrival, confirmArrival } from '../authorize.js'
import type { GateContext } from '../context.js'
import { READINGS_SCHEMA, readReadings, type Reading, type ReadingsBody } from '../readings.js'
import type { SeenReadings } from '../sightings.js'
import { HANDED_OVER_SCHEMA, WIFI_VERSION_HEADER } from '../successors.js'

const RECEIPT_SCHEMA = {
  type: 'object',
  properties: {
    accepted: { type: 'integer' },
    duplicates: { type: 'integer' },
    credentials: HANDED_OVER_SCHEMA,
  },
} as const

/** `POST /v1/data`: readings of a device, acknowledged after their commit. */
export function addDataRoute(app: FastifyInstance, gate: GateContext): void {
  app.post<{ Body: ReadingsBody }>(
    '/v1/data',
    {
      schema: { body: READINGS_SCHEMA, response: { 202: RECEIPT_SCHEMA } },
      onRequest: authorizeArrival(gate),
    },
    async (request, reply) => {
      const readings = readReadings(request.body, gate.workspace.clock.now().getTime())
      const arrival = await confirmArrival(gate, request, reply)
      if (arrival === undefined) return reply
      const { key, device } = arrival
      const receipt = await gate.writer.write(
        { deviceId: device.id, installationId: key.installation.id, readings },
        Number(request.headers['content-length'] ?? 0),
      )
      gate.metrics.readings(receipt.accepted, receipt.duplicates)
      const seen = { deviceId: device.id, apiKeyId: key.id, address: request.ip }
      gate.sightings.add(seen, span(readings))
      gate.addresses.add(device.id, request.ip)
      void reply.code(202)
      const credentials = await gate.successors.handOver(
        arrival,
        request.headers[WIFI_VERSION_HEADER],
      )
      if (credentials === undefined) return receipt
      void reply.header('cache-control', 'no-store')
      return { ...receipt, credentials }
    },
  )
}

function span(readings: readonly Reading[]): SeenReadings {
  let [oldestAtMicros, newestAtMicros] = [Infinity, -Infinity]
  for (const { atMicros } of readings) {
    if (atMicros < oldestAtMicros) oldestAtMicros = atMicros
    if (atMicros > newestAtMicros) newestAtMicros = atMicros
  }
  return { oldestAtMicros, newestAtMicros }
}
