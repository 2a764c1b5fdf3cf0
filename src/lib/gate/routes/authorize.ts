import type { FastifyInstance } from 'fastify'
import { authorizeArrival } from '../authorize.js'
import type { GateContext } from '../context.js'

/**
 * `GET /v1/authorize`: the decision alone, for a reverse proxy that asks before it forwards. The answer
 * names the device and the installation, so that what is behind the proxy need not believe the body.
 */
export function addAuthorizeRoute(app: FastifyInstance, gate: GateContext): void {
  app.get(
    '/v1/authorize',
    {
      onRequest: authorizeArrival(gate),
    },
    (request, reply) => {
      const { arrival } = request
      if (arrival) {
        const { device, key } = arrival
        gate.sightings.add({ deviceId: device.id, apiKeyId: key.id, address: request.ip })
        gate.addresses.add(device.id, request.ip)
        void reply.header('x-device-serial', device.serial)
        void reply.header('x-installation', key.installation.code)
      }
      void reply.code(204).send()
    },
  )
}
