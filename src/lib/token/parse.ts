import { parseObject } from '../json.js'

/** A real token of ours has about 400 characters. Longer text is refused before anything looks into it. */
const MAX_TOKEN_LENGTH = 4096

/** A signature of ES256 is 64 bytes, whatever the token says. */
const SHAPE = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{86})$/

/** The parts of a token, decoded and not yet believed. */
export interface TokenParts {
  header: Record<string, unknown>
  claims: Record<string, unknown>
}

/**
 * Takes a token's text apart, strictly: one text for one content. Base64url and JSON must be written
 * the way every signer of ours writes them, which leaves no room for a claim given twice, for spare
 * bits in the last character or for white space.
 * @returns the parts, or what is wrong with the text
 */
export function parseToken(text: string): TokenParts | string {
  if (text.length > MAX_TOKEN_LENGTH) return `longer than ${MAX_TOKEN_LENGTH} characters`
  const [, header, claims, signature] = SHAPE.exec(text) ?? []
  if (header === undefined || claims === undefined || signature === undefined)
    return 'not three parts of base64url with a signature of 64 bytes'
  if (decode(signature) === undefined) return 'the signature is not canonical base64url'
  const parts = { header: decodeObject(header), claims: decodeObject(claims) }
  if (parts.header === undefined) return 'the header is not one canonical JSON object'
  if (parts.claims === undefined) return 'the claims are not one canonical JSON object'
  return { header: parts.header, claims: parts.claims }
}

function decode(part: string): Buffer | undefined {
  const bytes = Buffer.from(part, 'base64url')
  return bytes.toString('base64url') === part ? bytes : undefined
}

function decodeObject(part: string): Record<string, unknown> | undefined {
  const json = decode(part)?.toString('utf8')
  if (json === undefined) return undefined
  const value = parseObject(json)
  return JSON.stringify(value) === json ? value : undefined
}
