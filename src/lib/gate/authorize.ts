import type { FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import { answerError } from './answers.js'
import type { Refusal, Verdict } from './arrivals.js'
import type { GateContext } from './context.js'
import type { Arrival } from './decide-arrival.js'
import { bearerToken } from './sent-request.js'

/** An accepted arrival on its way through the route. */
export interface AcceptedArrival extends Arrival {
  /** When it was decided, on a clock in milliseconds that nobody sets. */
  decidedAt: number
}

/** A decision is not relied on for longer: a body may come in slowly, and meanwhile a key be revoked. */
const DECISION_MS = 250

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by {@link authorizeArrival} on the routes that need it. */
    arrival: AcceptedArrival | null
  }
}

/**
 * The hook of the routes that take data in: decides on a request by its headers, before its body is read.
 * Answers 401, 403 or 429 itself.
 */
export function authorizeArrival(gate: GateContext): onRequestHookHandler {
  return (request, reply, done) => {
    const verdict = decide(gate, request)
    if (verdict instanceof Promise) verdict.then(next, done)
    else next(verdict)

    function next(verdict: Verdict): void {
      if (verdict.verdict === 'refused') refuse(gate, request, reply, verdict)
      else if (gate.limits.countsArrivals) limit(verdict).catch(done)
      else accept(verdict)
    }

    async function limit({ key, device }: Arrival): Promise<void> {
      const retryAfter = await gate.limits.arrival(key.keyId, device.serial)
      if (retryAfter === undefined) {
        accept({ key, device })
        return
      }
      gate.metrics.limited('arrival')
      answerError(request, reply, 'too_many_requests', { retryAfter })
    }

    function accept({ key, device }: Arrival): void {
      gate.usage.add(key.id, gate.workspace.clock.now(), request.ip)
      request.arrival = { key, device, decidedAt: performance.now() }
      done()
    }
  }
}

/**
 * Decides again when the first decision is no longer fresh. Answers 401 or 403 itself.
 * @returns the arrival, or undefined when it was refused
 */
export async function confirmArrival(
  gate: GateContext,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Arrival | undefined> {
  const { arrival } = request
  if (arrival && performance.now() - arrival.decidedAt < DECISION_MS) return arrival
  const verdict = await decide(gate, request)
  if (verdict.verdict === 'accepted') return verdict
  refuse(gate, request, reply, verdict)
  return undefined
}

/** Counts and logs a refusal for engineers, and tells the sender its class. */
export function refuse(
  gate: GateContext,
  request: FastifyRequest,
  reply: FastifyReply,
  refusal: Refusal,
): FastifyReply {
  const route = request.routeOptions.url ?? ''
  const { code, requirement, installationId, serial, keyId, fault } = refusal
  gate.limits.fail(request.ip)
  gate.metrics.refused(refusal, route)
  gate.refusals.add(refusal, { route, address: request.ip, requestId: request.id })
  request.log.info({
    event: 'arrival.refused',
    requestId: request.id,
    route,
    address: request.ip,
    requirement,
    code,
    fault,
    installationId,
    serial,
    keyId,
  })
  return answerError(request, reply, requirement === 1 ? 'unauthorized' : 'forbidden')
}

/** The API key as it was sent. */
export function sentApiKey(request: FastifyRequest): string | undefined {
  const header = request.headers['x-api-key']
  const text = Array.isArray(header) ? header.join(', ') : header
  return text === '' ? undefined : text
}

/** The bearer token as it was sent. */
export function sentToken(request: FastifyRequest): string | undefined {
  return bearerToken(request.headers.authorization)
}

function decide(gate: GateContext, request: FastifyRequest): Verdict | Promise<Verdict> {
  return gate.arrivals.decide({ apiKey: sentApiKey(request), token: sentToken(request) })
}
