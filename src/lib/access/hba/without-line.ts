import { tokenize } from './read.js'
import type { HbaRule, Token } from './types.js'

/**
 * The text of a pg_hba.conf without the line of a rule; nothing else of it is touched.
 * @throws SyntaxError where another rule stands there by now, or where the rule goes on in the next line
 */
export function withoutLine(text: string, { line, type, databases, users }: HbaRule): string {
  const lines = text.split('\n')
  const there = lines[line - 1] ?? ''
  const [kind, of, whom] = tokenize(there)
  const isSame =
    words(kind) === type && words(of) === words(databases) && words(whom) === words(users)
  if (!isSame || /\\\r?$/.test(there))
    throw new SyntaxError(`line ${line} is not what it was when it was looked at`)
  return lines.filter((_, at) => at !== line - 1).join('\n')
}

function words(tokens: readonly Token[] | undefined): string {
  // The file is read as bytes, the rule as text.
  return (tokens ?? []).map(({ text }) => Buffer.from(text, 'utf8').toString('latin1')).join(',')
}
