import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { ExpectedError } from '../errors.js'
import { StatementError } from '../database/statement-error.js'
import { BusyError } from './bounded.js'
import { DeadlineError } from './deadline.js'
import { BadReadingError } from './readings.js'
import { QueueFullError } from './reading-writer.js'

/** The class of a refusal, which is all that the network is told. */
export type AnswerWord =
  | 'bad_request'
  | 'unauthorized'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'too_large'
  | 'unsupported_media_type'
  | 'too_many_requests'
  | 'unavailable'
  | 'internal'

const STATUS: Record<AnswerWord, number> = {
  bad_request: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  too_large: 413,
  unsupported_media_type: 415,
  too_many_requests: 429,
  internal: 500,
  unavailable: 503,
}

/** A logger that waits so long finds a database that came back, or a queue that went down. */
const RETRY_AFTER_S = 2

/** Answers with an error and nothing but its class, the request id and, for a malformed body, what is wrong. */
export function answerError(
  request: FastifyRequest,
  reply: FastifyReply,
  word: AnswerWord,
  more: { message?: string; retryAfter?: number } = {},
): FastifyReply {
  const retryAfter = more.retryAfter ?? (word === 'unavailable' ? RETRY_AFTER_S : undefined)
  if (retryAfter !== undefined) void reply.header('retry-after', String(retryAfter))
  if (word === 'unauthorized') void reply.header('www-authenticate', 'Bearer')
  const message = more.message === undefined ? {} : { message: more.message }
  return reply.code(STATUS[word]).send({ error: word, requestId: request.id, ...message })
}

/** What an error thrown on the way of a request means to the sender. */
export function describeError(error: unknown): { word: AnswerWord; message?: string } {
  if (error instanceof BadReadingError) return { word: 'bad_request', message: error.message }
  if (isUnavailable(error)) return { word: 'unavailable' }
  const { statusCode, code, validation, message } = error as FastifyError
  if (validation !== undefined) return { word: 'bad_request', message }
  if (statusCode === 413) return { word: 'too_large' }
  if (statusCode === 415) return { word: 'unsupported_media_type' }
  // Of the library's own messages one repeats a part of the body.
  if (statusCode !== undefined && statusCode < 500) {
    const message = MESSAGES[code] ?? 'the request is malformed'
    return { word: 'bad_request', message }
  }
  return { word: 'internal' }
}

const MESSAGES: Record<string, string> = {
  FST_ERR_CTP_EMPTY_JSON_BODY: 'the body is empty',
  FST_ERR_CTP_INVALID_JSON_BODY: 'the body is not JSON',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'the body is not as long as content-length says',
}

/** Whether the database, or the way to it, is the reason. */
function isUnavailable(error: unknown): boolean {
  return (
    error instanceof BusyError ||
    error instanceof DeadlineError ||
    error instanceof QueueFullError ||
    error instanceof StatementError ||
    error instanceof ExpectedError
  )
}
