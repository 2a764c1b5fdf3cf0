import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { UsageError } from '../errors.js'
import { isObject } from '../json.js'
import { readAtMost } from '../read-at-most.js'
import type { Row } from '../rows/csv.js'
import { unreadableInput } from '../rows/open-rows.js'
import type { AccountRowSource } from './row.js'
import type { AccountKind } from './types.js'

/** Where a SCIM user (RFC 7643) keeps what SCIM itself has no words for. */
const SCIM_EXTENSION = 'urn:ietf:params:scim:schemas:extension:cleverctl:2.0:User'

/** The whole document is in memory; a hundred thousand people fit. */
const MAX_BYTES = 64 * 1024 * 1024

/**
 * Reads a SCIM list response, or an array of SCIM users, as rows; `line` counts users from 1.
 * `userName` is the e-mail address or the name of a service account, the name or purpose is `displayName` or `name`,
 * role names are those of the extension or the values of `roles`; owner, networks and the last day are the extension's.
 * @throws UsageError when the file cannot be read or is no such document
 */
export async function readScim(kind: AccountKind, path: string): Promise<AccountRowSource> {
  const bytes = await readWhole(path)
  const users = usersOf(bytes.toString('utf8'))
  if (users === undefined)
    throw new UsageError('malformed-scim', `${path} is neither a SCIM list response nor an array`, {
      suggestions: ['its form is {"Resources": [{"userName": "engineer@example.com", …}]}'],
    })
  const rows = users.map((user, index) => rowOf(kind, user, index + 1))
  return {
    unusedColumns: [],
    rows: [rows],
    digest: () => createHash('sha256').update(bytes).digest('hex'),
    close: () => undefined,
  }
}

async function readWhole(path: string): Promise<Buffer> {
  const name = path === '-' ? 'stdin' : path
  const stream: AsyncIterable<Buffer> = path === '-' ? process.stdin : createReadStream(path)
  const bytes = await readAtMost(stream, MAX_BYTES).catch((error: unknown) => {
    throw unreadableInput(name, error)
  })
  if (bytes === undefined)
    throw new UsageError('input-too-long', `${name} is longer than ${MAX_BYTES / 1024 / 1024} MiB`)
  return bytes
}

function usersOf(text: string): unknown[] | undefined {
  try {
    const document: unknown = JSON.parse(text)
    if (Array.isArray(document)) return document as unknown[]
    const resources = isObject(document) ? document['Resources'] : undefined
    return Array.isArray(resources) ? (resources as unknown[]) : undefined
  } catch {
    return undefined
  }
}

function rowOf(kind: AccountKind, user: unknown, line: number): Row {
  const raw = JSON.stringify(user).slice(0, 2000)
  if (!isObject(user))
    return { line, raw, fault: { code: 'malformed-scim', reason: 'a user is a JSON object' } }
  const extension = isObject(user[SCIM_EXTENSION]) ? user[SCIM_EXTENSION] : {}
  const roles = Array.isArray(user['roles'])
    ? (user['roles'] as unknown[]).map((role) => (isObject(role) ? role['value'] : role))
    : []
  const values = [
    text(user['userName']),
    text(user['displayName']) || nameOf(user['name']),
    ...(kind === 'staff' ? [] : [text(extension['owner'])]),
    listed(extension['roleNames'] ?? roles),
    listed(extension['networks'] ?? []),
    text(extension['until']),
    user['active'] === false ? 'false' : 'true',
  ]
  const isGood = values.every((value) => value !== undefined)
  const fault = { code: 'malformed-scim', reason: 'a list holds something that is no text' }
  return isGood
    ? { line, raw, values: values.filter((v) => v !== undefined) }
    : { line, raw, fault }
}

function nameOf(name: unknown): string {
  if (!isObject(name)) return ''
  const parts = [text(name['givenName']), text(name['familyName'])].filter((part) => part !== '')
  return text(name['formatted']) || parts.join(' ')
}

/** A list as a CSV field holds it; undefined where it holds anything but text without spaces. */
function listed(values: unknown): string | undefined {
  if (!Array.isArray(values)) return undefined
  const isGood = values.every((value) => typeof value === 'string' && /^\S+$/.test(value))
  return isGood ? values.join(' ') : undefined
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
