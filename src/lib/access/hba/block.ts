import { GRANTED_GROUP, HBA_METHODS, type GrantMethod } from '../grant/types.js'
import { tokenize } from './read.js'
import type { HbaRule } from './types.js'

const BEGIN = '# begin of the lines that cleverctl keeps; it replaces them, so change them there'
const END = '# end of the lines that cleverctl keeps'
/** What the server itself adds to the method `cert`. */
const CERTIFICATE_OPTIONS = ['clientcert=verify-full']
/** Whoever was let in for a limited time comes from nowhere else, whatever the rules below say. */
export const LAST_GRANTED_LINE = `host all +${GRANTED_GROUP} all reject`

/**
 * The text of a pg_hba.conf in which these are all lines of a granted role. The lines stand at the top, because the
 * first rule that matches decides. Nothing outside the two marks is touched; without any granted role there are none.
 * What somebody else has put between the marks comes after them.
 * @param text bytes as latin1, so that whatever else is in the file stays as it is
 * @throws SyntaxError for a file with one of the marks and without the other
 */
export function withLinesOf(text: string, role: string, lines: readonly string[]): string {
  const { kept, rest } = splitBlock(text)
  const others = kept.filter((line) => line !== LAST_GRANTED_LINE && roleOf(line) !== role)
  const ofGrants = others.filter((line) => roleOf(line) !== undefined)
  const wanted = [...ofGrants, ...lines.map(toBytes)]
  const below = [...others.filter((line) => roleOf(line) === undefined), rest]
  if (wanted.length === 0) return below.join('\n')
  return [BEGIN, ...wanted, LAST_GRANTED_LINE, END, ...below].join('\n')
}

/** All lines that let a granted role in over TLS with its proof, from these networks. */
export function linesFor(
  { role, databases, method }: { role: string; databases: readonly string[]; method: GrantMethod },
  networks: readonly string[],
): string[] {
  return networks.flatMap((network) =>
    databases.flatMap((database) => lineFor({ database, role, network, method }) ?? []),
  )
}

/** One of them; undefined for a name that a line cannot hold. */
export function lineFor(given: {
  database: string
  role: string
  network: string
  method: GrantMethod
}): string | undefined {
  const { database, role, network, method } = given
  // PostgreSQL 16 reads a name behind a slash as an expression, in quotes, too.
  if (/[\r\n]/.test(database) || database.startsWith('/')) return undefined
  return `hostssl ${quote(database)} ${quote(role)} ${network} ${HBA_METHODS[method]}`
}

/**
 * Whether a rule asks for what a granted role proves itself by, and for nothing else: a map lets the certificate of
 * another in.
 */
export function asksForProof({ method, options }: HbaRule, of: GrantMethod): boolean {
  const known = of === 'certificate' ? CERTIFICATE_OPTIONS : []
  return method === HBA_METHODS[of] && options.every((option) => known.includes(option))
}

function splitBlock(text: string): { kept: string[]; rest: string } {
  const lines = text.split('\n')
  const [begin, end] = [lines.indexOf(BEGIN), lines.indexOf(END)]
  if (begin === -1 && end === -1) return { kept: [], rest: text }
  if (begin === -1 || end < begin)
    throw new SyntaxError('one of the marks around the lines of cleverctl is missing')
  const rest = [...lines.slice(0, begin), ...lines.slice(end + 1)].join('\n')
  return { kept: lines.slice(begin + 1, end).filter((line) => line.trim() !== ''), rest }
}

/** The role of a line of a grant, as bytes; undefined for what is none. */
function roleOf(line: string): string | undefined {
  const [name, other] = tokenize(line)[2] ?? []
  return name?.isQuoted === true && other === undefined ? name.text : undefined
}

function toBytes(line: string): string {
  return Buffer.from(line, 'utf8').toString('latin1')
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
