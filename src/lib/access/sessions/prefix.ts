import { UsageError } from '../../errors.js'

/** What can be read of a prefix; the value is the name of its group in the expression. */
const ESCAPES: Record<string, string> = {
  t: '(?<time>\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d \\S+)',
  m: '(?<time>\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d\\.\\d{3} \\S+)',
  n: '(?<epoch>\\d+\\.\\d{3})',
  s: '(?<start>\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d \\S+)',
  p: '(?<pid>\\d+)',
  P: '\\d*',
  c: '(?<session>[0-9a-f]+\\.[0-9a-f]+)',
  l: '(?<line>\\d+)',
  e: '(?<code>[0-9A-Z]{5})',
  v: '(?:\\d+/\\d+)?',
  x: '\\d+',
  Q: '-?\\d+',
  b: '[a-z ]+',
  i: '[^\\n]*?',
  h: '\\S*',
  r: '\\S*?(?:\\(\\d+\\))?',
}
/** What clients choose; PostgreSQL cuts it at 63 bytes. */
const CHOSEN: Record<string, string> = { u: 'user', d: 'database', a: 'application' }
export const CHOSEN_BYTES = 63
const SEVERITY =
  '(?<severity>DEBUG[1-5]|LOG|INFO|NOTICE|WARNING|ERROR|FATAL|PANIC|DETAIL|HINT|QUERY|CONTEXT|STATEMENT|LOCATION|BACKTRACE):  '

/** Expressions for the beginning of a record; of names that may be read as more or less, one takes each. */
export interface Prefix {
  shortest: RegExp
  longest: RegExp
  /** What stands before the first name that a client chooses; undefined where there is none. */
  beforeNames: RegExp | undefined
}

/**
 * Reads log_line_prefix.
 * @throws UsageError where records cannot be told apart by it, or it holds something that is not known
 */
export function readPrefix(prefix: string): Prefix {
  if (!/%(?:-?\d+)?[cp]/.test(prefix))
    throw new UsageError(
      'bad-log-line-prefix',
      'log_line_prefix has neither %c nor %p: nothing tells which lines belong to the same connection',
      { suggestions: ["log_line_prefix = '%m [%p] %c %l '", 'log_destination = jsonlog'] },
    )
  const parts = partsOf(prefix)
  const source = (isGreedy: boolean, some = parts) => {
    const text = some
      .map((part) => (typeof part === 'string' ? part : chosen(part.name, isGreedy)))
      .join('')
    return some.includes(OPEN) ? `${text})?` : text
  }
  const first = parts.findIndex((part) => typeof part !== 'string')
  const before = parts.slice(0, first)
  return {
    shortest: new RegExp(source(false) + SEVERITY, 'y'),
    longest: new RegExp(source(true) + SEVERITY, 'y'),
    beforeNames: first === -1 ? undefined : new RegExp(source(false, before), 'y'),
  }
}

const OPEN = '(?:'

function partsOf(prefix: string): (string | { name: string })[] {
  const parts: (string | { name: string })[] = []
  const seen = new Set<string>()
  for (const [whole, width, letter] of prefix.matchAll(/%(-?\d+)?([%A-Za-z])|[^%]+|%/g)) {
    if (letter === undefined) parts.push(escapeExpression(whole))
    else if (letter === '%') parts.push('%')
    else if (letter === 'q') parts.push(OPEN)
    else {
      const name = CHOSEN[letter]
      const fixed = ESCAPES[letter]
      if (name === undefined && fixed === undefined)
        throw new UsageError(
          'bad-log-line-prefix',
          `log_line_prefix holds %${letter}, which is not known`,
        )
      const once = seen.has(letter) ? fixed?.replace(/\?<\w+>/, '?:') : fixed
      seen.add(letter)
      if (width !== undefined) parts.push(' *')
      parts.push(name === undefined ? (once ?? '') : { name })
      if (width !== undefined) parts.push(' *')
    }
  }
  return parts
}

function chosen(name: string, isGreedy: boolean): string {
  return `(?<${name}>[^\\n]{0,${CHOSEN_BYTES}}${isGreedy ? '' : '?'})`
}

function escapeExpression(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}
