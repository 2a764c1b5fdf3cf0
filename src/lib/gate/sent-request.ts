import { UsageError } from '../errors.js'
import { parseObject } from '../json.js'
import { Secret } from '../secret.js'

/** What a captured request shows of itself. */
export interface SentRequest {
  apiKey: Secret | undefined
  token: Secret | undefined
}

/**
 * Reads the credentials from a request as somebody captured it: the text of an HTTP request, or JSON
 * `{"apiKey", "token"}`.
 * @throws UsageError when it is neither
 */
export function readSentRequest(request: Secret): SentRequest {
  const text = request.reveal()
  const { apiKey, token } = text.trimStart().startsWith('{') ? fromJson(text) : fromHttp(text)
  return {
    apiKey: apiKey === undefined ? undefined : new Secret(apiKey),
    token: token === undefined ? undefined : new Secret(token),
  }
}

interface Texts {
  apiKey: string | undefined
  token: string | undefined
}

function fromJson(text: string): Texts {
  const value = parseObject(text)
  if (!value) throw unreadable()
  const { apiKey, token, ...rest } = value
  const isText = (part: unknown) => part === undefined || typeof part === 'string'
  if (!isText(apiKey) || !isText(token) || Object.keys(rest).length > 0) throw unreadable()
  return { apiKey, token }
}

function fromHttp(text: string): Texts {
  const [head = ''] = text.split(/\r?\n\r?\n/)
  const lines = head.split(/\r?\n/)
  const headers = new Map<string, string>()
  for (const line of lines) {
    const [, name, value] = /^([A-Za-z0-9-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? []
    if (name !== undefined && value !== undefined) headers.set(name.toLowerCase(), value)
  }
  const isRequest = /^[A-Z]+ \S+ HTTP\/\d/.test(lines[0] ?? '')
  if (!isRequest && headers.size === 0) throw unreadable()
  return { apiKey: headers.get('x-api-key'), token: bearerToken(headers.get('authorization')) }
}

/** The token in an Authorization header; undefined when there is none. */
export function bearerToken(header: string | undefined): string | undefined {
  if (header === undefined || !/^Bearer /i.test(header)) return undefined
  const token = header.slice('Bearer '.length).trim()
  return token === '' ? undefined : token
}

function unreadable(): UsageError {
  return new UsageError('bad-request', 'neither an HTTP request nor JSON with apiKey and token', {
    suggestions: ['give the headers X-API-Key and Authorization, one a line'],
  })
}
