import type { FastifyInstance } from 'fastify'
import { authorizeArrival, confirmArrival } from '../authorize.js'
import type { GateContext } from '../context.js'
import { READINGS_SCHEMA, readReadings, type ReadingsBody } from '../readings.js'

const RECEIPT_SCHEMA = {
  type: 'object',
  properties: { accepted: { type: 'integer' }, duplicates: { type: 'integer' } },
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
      void reply.code(202)
      return receipt
    },
  )
}
