import type { FastifyInstance } from 'fastify'
import { signToken } from '../../token/sign.js'
import { answerError } from '../answers.js'
import { refuse, sentApiKey } from '../authorize.js'
import type { GateContext } from '../context.js'
import { WIFI_VERSION_HEADER } from '../successors.js'

const BODY_LIMIT = 4096

const SCHEMA = {
  type: 'object',
  required: ['serial', 'secret'],
  additionalProperties: false,
  properties: {
    serial: { type: 'string', minLength: 1, maxLength: 64 },
    secret: { type: 'string', minLength: 1, maxLength: 256 },
  },
} as const

/** `POST /v1/token`: a token for an installed device that knows its own secret. */
export function addTokenRoute(app: FastifyInstance, gate: GateContext): void {
  app.post<{ Body: { serial: string; secret: string } }>(
    '/v1/token',
    {
      bodyLimit: BODY_LIMIT,
      schema: { body: SCHEMA },
      onRequest: async (request, reply) => {
        const refusal = await gate.arrivals.checkKey(sentApiKey(request))
        if (refusal) return refuse(gate, request, reply, refusal)
      },
    },
    async (request, reply) => {
      const { clock, random } = gate.workspace
      const verdict = await gate.arrivals.decideTokenRequest(
        { apiKey: sentApiKey(request) },
        request.body,
      )
      if (verdict.verdict === 'refused') return refuse(gate, request, reply, verdict)
      const { key, device } = verdict
      const retryAfter = await gate.limits.arrival(key.keyId, device.serial)
      if (retryAfter !== undefined) {
        gate.metrics.limited('arrival')
        return answerError(request, reply, 'too_many_requests', { retryAfter })
      }
      gate.usage.add(key.id, clock.now(), request.ip)
      gate.sightings.add({ deviceId: device.id, apiKeyId: key.id, address: request.ip })
      gate.addresses.add(device.id, request.ip)
      const credentials = await gate.successors.handOver(
        verdict,
        request.headers[WIFI_VERSION_HEADER],
      )
      const signed = signToken(
        await gate.signer.get(),
        {
          audience: 'ingest',
          installation: key.installation.code,
          serial: device.serial,
          installationEpoch: key.installation.tokenEpoch,
          deviceEpoch: device.tokenEpoch,
        },
        { clock, random, ttlMs: gate.tokenTtlMs },
      )
      void reply.header('cache-control', 'no-store')
      return {
        token: signed.token.reveal(),
        tokenType: 'Bearer',
        expiresIn: Math.floor(gate.tokenTtlMs / 1000),
        ...(credentials && { credentials }),
      }
    },
  )
}
