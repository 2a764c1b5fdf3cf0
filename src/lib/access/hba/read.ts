import { parseAddress } from '../../network.js'
import type { ConnectionType, HbaRule, RuleAddress, Token } from './types.js'

/** A row of pg_hba_file_rules. */
export interface HbaRow {
  file: string | null
  line: number
  type: string | null
  databases: string[] | null
  users: string[] | null
  address: string | null
  netmask: string | null
  method: string | null
  options: string[] | null
  /** Why the server does not take the line. */
  error: string | null
}

const TYPES: readonly string[] = [
  'local',
  'host',
  'hostssl',
  'hostnossl',
  'hostgssenc',
  'hostnogssenc',
] satisfies ConnectionType[]

/**
 * The rule of a row; undefined for a row with an error.
 * @param line the line as the file has it, for its quotes: the view leaves them out, and without the
 *   line every keyword counts as one
 */
export function readHbaRow(row: HbaRow, line?: string): HbaRule | undefined {
  const { type, databases, users, method } = row
  if (row.error !== null || databases === null || users === null || method === null)
    return undefined
  if (type === null || !TYPES.includes(type)) return undefined
  const [, databaseTokens, userTokens] = line === undefined ? [] : tokenize(line)
  return {
    file: row.file ?? '',
    line: row.line,
    type: type as ConnectionType,
    databases: withQuotes(databases, databaseTokens),
    users: withQuotes(users, userTokens),
    address: type === 'local' ? undefined : readAddress(row.address ?? '', row.netmask),
    method,
    options: row.options ?? [],
  }
}

/** The lines of a text by their numbers, each with those that a backslash at its end takes in. */
export function logicalLines(text: string): string[] {
  const lines = text.split('\n')
  for (let at = lines.length - 2; at >= 0; at -= 1) {
    const line = lines[at] ?? ''
    if (/\\\r?$/.test(line)) lines[at] = line.replace(/\\\r?$/, '') + (lines[at + 1] ?? '')
  }
  return lines
}

/**
 * Takes a line apart as PostgreSQL does: fields between blanks, words between commas, quotes that may
 * stand anywhere in a word, a comment from # on.
 */
export function tokenize(line: string): Token[][] {
  const fields: Token[][] = []
  let isContinued = false
  for (const [, blank, comma, comment, word] of line.matchAll(
    /([ \t\r\n]+)|(,)|(#.*)|((?:"[^"]*"?|[^\s,"#])+)/g,
  )) {
    if (comment !== undefined) break
    if (blank !== undefined) continue
    if (comma !== undefined) isContinued = true
    else if (word !== undefined) {
      const token = { text: word.replaceAll('"', ''), isQuoted: word.startsWith('"') }
      if (isContinued) fields.at(-1)?.push(token)
      else fields.push([token])
      isContinued = false
    }
  }
  return fields
}

function withQuotes(texts: readonly string[], tokens: readonly Token[] | undefined): Token[] {
  // Words from another file (@file) or of a line that has changed since are not in these tokens.
  const isSame =
    tokens?.length === texts.length && texts.every((text, index) => tokens[index]?.text === text)
  return texts.map((text, index) => ({
    text,
    isQuoted: isSame && tokens[index]?.isQuoted === true,
  }))
}

function readAddress(address: string, netmask: string | null): RuleAddress {
  if (address === 'all' || address === 'samehost' || address === 'samenet') return { kind: address }
  const network = parseAddress(address)
  const mask = parseAddress(netmask ?? '')
  if (!network || !mask) return { kind: 'hostname', name: address }
  return { kind: 'masked', network, mask: mask.bits }
}
