import { GRANTED_GROUP, HBA_METHODS, type GrantMethod } from '../grant/types.js'
import { tokenize } from './read.js'

const BEGIN = '# begin of the lines that cleverctl keeps; it replaces them, so change them there'
const END = '# end of the lines that cleverctl keeps'
/** Whoever was let in for a limited time comes from nowhere else, whatever the rules below say. */
const LAST = `host all +${GRANTED_GROUP} all reject`

/**
 * The text of a pg_hba.conf in which these are all lines of a granted role. The lines stand at the top, because the
 * first rule that matches decides. Nothing outside the two marks is touched; without any granted role there are none.
 * @param text bytes as latin1, so that whatever else is in the file stays as it is
 * @throws SyntaxError for a file with one of the marks and without the other
 */
export function withLinesOf(text: string, role: string, lines: readonly string[]): string {
  const { kept, rest } = splitBlock(text)
  const others = kept.filter((line) => line !== LAST && roleOf(line) !== role)
  const wanted = [...others, ...lines]
  if (wanted.length === 0) return rest
  return [BEGIN, ...wanted, LAST, END, rest].join('\n')
}

/** A line that lets a role in over TLS with its proof; undefined for a name that a line cannot hold. */
export function lineFor(given: {
  database: string
  role: string
  network: string
  method: GrantMethod
}): string | undefined {
  const { database, role, network, method } = given
  // PostgreSQL 16 reads a name behind a slash as an expression, in quotes, too.
  if (/[\r\n]/.test(database) || database.startsWith('/')) return undefined
  const line = `hostssl ${quote(database)} ${quote(role)} ${network} ${HBA_METHODS[method]}`
  return Buffer.from(line, 'utf8').toString('latin1')
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

function roleOf(line: string): string | undefined {
  return tokenize(line)[2]?.[0]?.text
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
