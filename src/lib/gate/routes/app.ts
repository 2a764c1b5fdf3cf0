import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isSerial } from '../../device/types.js'
import { faultOfCode } from '../../installation/types.js'
import { loginInstaller } from '../../installer/login.js'
import { placeDevice } from '../../placement/place.js'
import { removePlacement } from '../../placement/remove.js'
import type { Position } from '../../placement/types.js'
import { Secret } from '../../secret.js'
import { signToken } from '../../token/sign.js'
import { verifyToken } from '../../token/verify.js'
import { answerError } from '../answers.js'
import { sentToken } from '../authorize.js'
import type { GateContext } from '../context.js'
import { readTime } from '../readings.js'
import { selectInstaller } from '../store.js'

const BODY_LIMIT = 4096
/** An installer works for an hour on one login; the longest that the policy allows. */
const APP_TOKEN_TTL_MS = 60 * 60_000
/** A failed login costs a verified password, so few of them stop an address. */
const LOGIN_FAILURE_WEIGHT = 25

const LOGIN_SCHEMA = {
  type: 'object',
  required: ['email', 'password'],
  additionalProperties: false,
  properties: {
    email: { type: 'string', minLength: 1, maxLength: 254 },
    password: { type: 'string', minLength: 1, maxLength: 1024 },
  },
} as const

const PLACEMENT_SCHEMA = {
  type: 'object',
  required: ['serial', 'installation'],
  additionalProperties: false,
  properties: {
    serial: { type: 'string', minLength: 1, maxLength: 64 },
    installation: { type: 'string', minLength: 1, maxLength: 64 },
    at: { type: 'string', maxLength: 40 },
    position: {
      anyOf: [
        { type: 'string', minLength: 1, maxLength: 200 },
        {
          type: 'object',
          required: ['latitude', 'longitude'],
          additionalProperties: false,
          properties: {
            latitude: { type: 'number', minimum: -90, maximum: 90 },
            longitude: { type: 'number', minimum: -180, maximum: 180 },
            accuracyMetres: { type: 'number', minimum: 0 },
          },
        },
      ],
    },
  },
} as const

interface PlacementBody {
  serial: string
  installation: string
  at?: string
  position?: Position
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The installer of the app's token, on the routes that need one. */
    installerId: string | null
  }
}

/** The routes of the mobile app: log in, install a device, take it down. */
export function addAppRoutes(app: FastifyInstance, gate: GateContext): void {
  const onRequest = async (request: FastifyRequest, reply: FastifyReply) => {
    if (!(await authorizeInstaller(gate, request, reply))) return reply
  }

  app.post<{ Body: { email: string; password: string } }>(
    '/v1/app/login',
    { bodyLimit: BODY_LIMIT, schema: { body: LOGIN_SCHEMA } },
    async (request, reply) => {
      const { clock, random } = gate.workspace
      const { email, password } = request.body
      const login = await loginInstaller(gate.workspace, { email, password: new Secret(password) })
      const reason = login.outcome === 'refused' ? login.code : login.outcome
      gate.metrics.login(reason)
      if (login.outcome === 'busy') return answerError(request, reply, 'unavailable')
      if (login.outcome === 'refused') {
        gate.limits.fail(request.ip, LOGIN_FAILURE_WEIGHT)
        logApp(request, 'login.refused', { reason })
        return answerError(request, reply, 'unauthorized')
      }
      const { installerId, epoch } = login
      const signed = signToken(
        await gate.signer.get(),
        { audience: 'app', installerId, installerEpoch: epoch },
        { clock, random, ttlMs: APP_TOKEN_TTL_MS },
      )
      void reply.header('cache-control', 'no-store')
      return {
        token: signed.token.reveal(),
        tokenType: 'Bearer',
        expiresIn: APP_TOKEN_TTL_MS / 1000,
      }
    },
  )

  app.post<{ Body: PlacementBody }>(
    '/v1/app/placements',
    { bodyLimit: BODY_LIMIT, schema: { body: PLACEMENT_SCHEMA }, onRequest },
    async (request, reply) => {
      const { serial, installation, at, position } = request.body
      const micros = at === undefined ? undefined : readTime(at)
      if (at !== undefined && micros === undefined) return badTime(request, reply)
      const placed = await placeDevice(gate.workspace, {
        installer: request.installerId ?? '',
        serial,
        installation,
        at: micros === undefined ? undefined : new Date(micros / 1000),
        position,
      })
      switch (placed.outcome) {
        case 'refused':
          logApp(request, 'placement.refused', {
            reason: placed.code,
            ...named(serial, installation),
          })
          if (placed.code === 'position-invalid') return badPosition(request, reply)
          return placed.code.startsWith('at-')
            ? badTime(request, reply)
            : answerError(request, reply, 'forbidden')
        case 'conflict':
          logApp(request, 'placement.refused', {
            reason: placed.code,
            ...named(serial, installation),
          })
          return answerError(request, reply, 'conflict')
        default:
          void reply.code(placed.outcome === 'created' ? 201 : 200)
          return { serial, installation, at: placed.at.toISOString() }
      }
    },
  )

  app.delete<{ Params: { serial: string } }>(
    '/v1/app/placements/:serial',
    { onRequest },
    async (request, reply) => {
      const { serial } = request.params
      const installer = request.installerId ?? ''
      const removed = await removePlacement(gate.workspace, { installer, serial })
      if (removed.outcome !== 'refused') return reply.code(204).send()
      logApp(request, 'placement.refused', { reason: removed.code })
      return answerError(request, reply, 'forbidden')
    },
  )
}

async function authorizeInstaller(
  gate: GateContext,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<boolean> {
  const keys = await gate.arrivals.verificationKeys()
  const verdict = verifyToken(sentToken(request), keys, {
    now: gate.workspace.clock.now(),
    audience: 'app',
  })
  const installer =
    verdict.ok && /^\d{1,18}$/.test(verdict.claims.installerId)
      ? await selectInstaller(gate.database, verdict.claims.installerId)
      : undefined
  const reason = !verdict.ok
    ? verdict.code
    : installer?.tokenEpoch !== verdict.claims.installerEpoch
      ? 'T_EPOCH'
      : installer.disabledAt !== null
        ? 'disabled'
        : undefined
  if (verdict.ok && reason === undefined) {
    request.installerId = verdict.claims.installerId
    return true
  }
  gate.limits.fail(request.ip)
  logApp(request, 'app.refused', { reason })
  answerError(request, reply, 'unauthorized')
  return false
}

function badTime(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const message = 'at is no RFC 3339 time since the device was made and before now'
  return answerError(request, reply, 'bad_request', { message })
}

function badPosition(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const message = 'position is neither one line of text nor a latitude and longitude'
  return answerError(request, reply, 'bad_request', { message })
}

/** What was named, where it has the form of a name: a secret in the wrong field is not written down. */
function named(serial: string, installation: string): Record<string, string | undefined> {
  return {
    serial: isSerial(serial) ? serial : undefined,
    installation: faultOfCode(installation) === undefined ? installation : undefined,
  }
}

function logApp(request: FastifyRequest, event: string, more: Record<string, unknown>): void {
  const { id, ip } = request
  request.log.info({ event, requestId: id, route: request.routeOptions.url, address: ip, ...more })
}
