import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import type { Socket } from 'node:net'
import type { Random } from '../clock.js'
import { answerError, describeError } from './answers.js'
import { SilentConnections } from './connections.js'
import type { GateContext } from './context.js'
import type { LogStream } from './log-stream.js'
import { addAppRoutes } from './routes/app.js'
import { addAuthorizeRoute } from './routes/authorize.js'
import { addDataRoute } from './routes/data.js'
import { addPublicRoutes } from './routes/public.js'
import { addTokenRoute } from './routes/token.js'

const BODY_LIMIT = 1024 * 1024
const HEADERS_MAX = 16 * 1024

/** How long a client may take, in milliseconds. */
export interface Timeouts {
  /** For the TLS handshake, and then for the head of a request. */
  head: number
  /** For a whole request; a logger on a bad line needs a while for a megabyte. */
  request: number
  /** Between two requests; a logger that posts once a minute keeps its connection. */
  idle: number
}

/** The usual patience. */
export const DEFAULT_TIMEOUTS: Timeouts = { head: 10_000, request: 60_000, idle: 75_000 }

/** How late a slow client may be noticed. */
const CHECK_MS = 1_000

/** What the HTTP server is made of. */
export interface HttpOptions {
  tls: { cert: string; key: string } | undefined
  /** Networks of proxies whose X-Forwarded-For is believed. */
  trustProxy: readonly string[]
  timeouts: Timeouts
  logLevel: 'warn' | 'info' | 'debug'
  logStream: Pick<LogStream, 'write'>
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Asked for by monitors, whatever else their address does. */
    isUnlimited?: boolean
  }
}

/** Makes the HTTP server with all routes; it does not listen yet. */
export async function makeHttpServer(
  options: HttpOptions,
  makeGate: (log: FastifyInstance['log']) => Promise<GateContext>,
  random: Random,
): Promise<{ app: FastifyInstance; gate: GateContext; connections: SilentConnections }> {
  const { fastify, LogController } = await import('fastify')
  const nextId = requestIds(random)
  const { head, request, idle } = options.timeouts
  const http = {
    headersTimeout: head,
    connectionsCheckingInterval: CHECK_MS,
    maxHeaderSize: HEADERS_MAX,
    // Node would refuse a request without one by itself, without a date and an id.
    requireHostHeader: false,
  }
  const common = {
    logger: {
      level: options.logLevel,
      stream: options.logStream,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label: string) => ({ level: label }) },
      // Of a request and an error the library would log more than anybody should read.
      serializers: {
        req: ({ method }: { method: string }) => ({ method }),
        err: (error: Error) => ({ type: error.name, message: '', stack: framesOf(error) }),
      },
    },
    // A logger of its own for each request costs as much as the decision.
    childLoggerFactory: (log) => log,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: nextId,
    requestIdHeader: false,
    bodyLimit: BODY_LIMIT,
    requestTimeout: request,
    keepAliveTimeout: idle,
    trustProxy: options.trustProxy.length === 0 ? false : [...options.trustProxy],
    // A number sent as text is a fault of the logger's, and an unknown field too.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false } },
    frameworkErrors: (_error, req, reply) => {
      void reply.header('x-request-id', req.id)
      answerError(req, reply, 'bad_request', { message: 'the URL is malformed' })
    },
    clientErrorHandler: (error, socket) => answerUnreadable(error, socket, nextId()),
  } satisfies FastifyServerOptions
  const app = (
    options.tls
      ? fastify({
          ...common,
          https: {
            ...options.tls,
            minVersion: 'TLSv1.2',
            handshakeTimeout: head,
            ...http,
          },
        })
      : fastify({ ...common, http })
  ) as FastifyInstance
  const gate = await makeGate(app.log)
  const connections = new SilentConnections(app.server)
  addHooks(app, gate, connections)
  addDataRoute(app, gate)
  addAuthorizeRoute(app, gate)
  addTokenRoute(app, gate)
  addAppRoutes(app, gate)
  addPublicRoutes(app, gate)
  return { app, gate, connections }
}

function addHooks(app: FastifyInstance, gate: GateContext, connections: SilentConnections): void {
  // Nor do we know what a client expects besides `100-continue`; it gets the usual answer.
  app.server.on('checkExpectation', (request, response) => app.routing(request, response))
  app.removeContentTypeParser('text/plain')
  app.decorateRequest('arrival', null)
  app.decorateRequest('installerId', null)

  // Hooks that call back instead of promising cost a tenth of a decision less each.
  app.addHook('onRequest', (request, reply, done) => {
    connections.heard(request.socket)
    void reply.header('x-request-id', request.id)
    if (!gate.limits.countsRequests || request.routeOptions.config.isUnlimited === true) {
      done()
      return
    }
    gate.limits.request(request.ip).then((retryAfter) => {
      if (retryAfter === undefined) {
        done()
        return
      }
      gate.metrics.limited('address')
      request.log.debug({ event: 'limited', requestId: request.id, address: request.ip })
      answerError(request, reply, 'too_many_requests', { retryAfter })
    }, done)
  })

  // Counted when the answer leaves: waiting for its end costs two listeners on each response.
  app.addHook('onSend', (request, reply, payload, done) => {
    gate.metrics.request(request.routeOptions.url ?? 'none', reply.statusCode, reply.elapsedTime)
    done(null, payload)
  })

  app.setNotFoundHandler((request, reply) => {
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

/** An error for the log. Messages of drivers and parsers may repeat what was sent, so they stay out. */
export function harmless(error: unknown, withStack: boolean): Record<string, unknown> {
  if (!(error instanceof Error)) return { error: typeof error }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  return { error: error.name, code, ...(withStack ? { stack: framesOf(error) } : {}) }
}

/** The stack without the message at its head. */
function framesOf({ stack = '' }: Error): string {
  const lines = stack.split('\n').filter((line) => line.startsWith('    at '))
  return lines.join('\n')
}

/** Ids that no other process of any gate gives: random at the front, counted at the end. */
function requestIds(random: Random): () => string {
  const prefix = random.bytes(9).toString('base64url')
  let count = 0
  return () => {
    count += 1
    return `${prefix}-${count.toString(36)}`
  }
}

/** Answers what is not HTTP, or came too slowly or too large, where no request exists yet. */
function answerUnreadable(error: NodeJS.ErrnoException, socket: Socket, requestId: string): void {
  const { code = '' } = error
  // What failed before or below HTTP has nobody who could read an answer.
  if (!socket.writable || !/^(HPE_|ERR_HTTP_)/.test(code)) {
    socket.destroy()
    return
  }
  const [status, word] = UNREADABLE[code] ?? ['400 Bad Request', 'bad_request']
  const body = JSON.stringify({ error: word, requestId })
  socket.end(
    [
      `HTTP/1.1 ${status}`,
      `date: ${new Date().toUTCString()}`,
      'content-type: application/json; charset=utf-8',
      `content-length: ${Buffer.byteLength(body)}`,
      `x-request-id: ${requestId}`,
      'connection: close',
      '',
      body,
    ].join('\r\n'),
  )
  // Whoever does not read it is not waited for.
  socket.setTimeout(CHECK_MS, () => socket.destroy())
}

const UNREADABLE: Record<string, [status: string, word: string]> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'timeout'],
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'too_large'],
}
