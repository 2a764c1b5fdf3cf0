import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import type { Socket } from 'node:net'
import type { Random } from '../clock.js'
import { answerError } from './answers.js'
import { SilentConnections } from './connections.js'
import type { GateContext } from './context.js'
import { framesOf } from './harmless.js'
import { addHooks } from './hooks.js'
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
