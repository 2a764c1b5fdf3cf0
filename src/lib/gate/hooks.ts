import type { FastifyInstance, onRequestHookHandler, onSendHookHandler } from 'fastify'
import { answerError, describeError } from './answers.js'
import type { SilentConnections } from './connections.js'
import type { GateContext } from './context.js'
import { harmless } from './harmless.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Asked for by monitors, whatever else their address does. */
    isUnlimited?: boolean
  }
}

/**
 * What happens to every request around its route: it gets its id, it is limited, counted, and answered
 * when something goes wrong. Add the routes afterwards.
 *
 * Hooks call back instead of promising, and are made for each route: looking at the route of a request
 * costs more than the decision on it.
 */
export function addHooks(
  app: FastifyInstance,
  gate: GateContext,
  connections: SilentConnections,
): void {
  // Nor do we know what a client expects besides `100-continue`; it gets the usual answer.
  app.server.on('checkExpectation', (request, response) => app.routing(request, response))
  app.removeContentTypeParser('text/plain')
  app.decorateRequest('arrival', null)
  app.decorateRequest('installerId', null)

  app.addHook('onRequest', (request, reply, done) => {
    connections.heard(request.socket)
    void reply.header('x-request-id', request.id)
    done()
  })

  app.addHook('onRoute', (route) => {
    route.onSend = countAnswers(gate, route.url)
    if (!gate.limits.countsRequests || route.config?.isUnlimited === true) return
    const own = route.onRequest ?? []
    route.onRequest = [limitAddress(gate), ...(Array.isArray(own) ? own : [own])]
  })

  app.setNotFoundHandler(async (request, reply) => {
    const retryAfter = await gate.limits.request(request.ip)
    if (retryAfter !== undefined) {
      return answerError(request, reply, 'too_many_requests', { retryAfter })
    }
    gate.limits.fail(request.ip)
    return answerError(request, reply, 'not_found')
  })

  app.setErrorHandler((error, request, reply) => {
    const { word, message } = describeError(error)
    if (word === 'unavailable' || word === 'internal') {
      gate.metrics.failed(request.routeOptions.url ?? 'none')
      request.log.error({
        event: word === 'internal' ? 'fault' : 'unavailable',
        requestId: request.id,
        route: request.routeOptions.url,
        ...harmless(error, word === 'internal'),
      })
    } else {
      gate.limits.fail(request.ip)
    }
    return answerError(request, reply, word, message === undefined ? {} : { message })
  })
}

function limitAddress(gate: GateContext): onRequestHookHandler {
  return (request, reply, done) => {
    gate.limits.request(request.ip).then((retryAfter) => {
      if (retryAfter === undefined) {
        done()
        return
      }
      gate.metrics.limited('address')
      request.log.debug({ event: 'limited', requestId: request.id, address: request.ip })
      answerError(request, reply, 'too_many_requests', { retryAfter })
    }, done)
  }
}

/** Counted when the answer leaves: waiting for its end would cost two listeners on each response. */
function countAnswers(gate: GateContext, url: string): onSendHookHandler {
  const count = gate.metrics.route(url)
  return (_request, reply, payload, done) => {
    count(reply.statusCode, reply.elapsedTime)
    done(null, payload)
  }
}
