import { FailureError } from '../../../errors.js'
import type { SshSession } from '../../../ssh/session.js'

/** RouterOS ends with 0 whatever failed: a line that came to its end says so itself. */
const DONE = 'cleverctl: done'
const TIMEOUT_MS = 60_000
/** How its errors begin. Nothing else of an answer is ever shown, for an answer may hold a secret. */
const ERROR =
  /^(?:ambiguous value|bad command name|bad parameter|expected|failure|input does not match|interrupted|invalid|no such|not enough permissions|script error|syntax error|value of|action (?:timed out|failed))/

/** A text as RouterOS' console reads it: between double quotes, with what it would act on escaped. */
export function quoted(text: string): string {
  const escaped = text.replace(/[^\x20-\x7e]|["\\$?]/g, (character) =>
    /[\x20-\x7e]/.test(character) ? `\\${character}` : hexOf(character),
  )
  return `"${escaped}"`
}

function hexOf(character: string): string {
  return [...Buffer.from(character)]
    .map((byte) => `\\${byte.toString(16).toUpperCase().padStart(2, '0')}`)
    .join('')
}

/**
 * Has a router's console carry out one line. There is no list of processes on RouterOS, its console's own history keeps
 * what is typed alone, and a command that comes over SSH has no stdin: so secrets may stand in the line.
 * @returns what it printed, line by line
 * @throws FailureError when the line did not come to its end; what `SshSession.run` throws
 */
export async function ask(session: SshSession, line: string): Promise<string[]> {
  const { stdout } = await session.run(`${line};:put ${quoted(DONE)}`, { timeoutMs: TIMEOUT_MS })
  const lines = stdout
    .toString('utf8')
    .split(/\r?\n/)
    .filter((each) => each !== '')
  if (lines.pop() === DONE) return lines
  throw new ConsoleError(stdout.toString('utf8'))
}

/**
 * The same for a menu that not every RouterOS has. The console reads a line whole before it begins, so that nothing of
 * it was carried out where the menu is missing.
 * @param menu the last word of the menu's name
 * @returns undefined where there is no such menu
 */
export async function askMenu(
  session: SshSession,
  menu: string,
  line: string,
): Promise<string[] | undefined> {
  try {
    return await ask(session, line)
  } catch (error) {
    if (error instanceof ConsoleError && error.said.startsWith(`bad command name ${menu}`))
      return undefined
    throw error
  }
}

/** A line that did not come to its end. */
export class ConsoleError extends FailureError {
  /** What RouterOS says is wrong; empty when that is none of its errors. */
  readonly said: string

  constructor(answer: string) {
    const said =
      answer
        .split(/\r?\n/)
        .map((line) => line.trim())
        .findLast((line) => ERROR.test(line))
        ?.slice(0, 200) ?? ''
    // Should RouterOS repeat a value, it is not repeated here.
    const reason = said === '' ? 'the answer has no end' : said.replace(/"[^"]*"?|\S{20,}/g, '…')
    super('router-unreadable', `RouterOS did not do what it was asked: ${reason}`, {
      suggestions: [
        'the user that logs in needs the policies ssh, read, write, policy, test and sensitive',
      ],
    })
    this.said = said
  }
}

/** One item of a menu, by the names of its fields. */
export type Item = ReadonlyMap<string, string>

/**
 * A command that prints the items of a menu, for {@link readItems}.
 * @param fields what everybody who may log in can see
 * @param more further commands for each, with the item in `$a`
 */
export function printItems(
  menu: string,
  kind: string,
  fields: readonly string[],
  more: readonly string[] = [],
): string {
  const puts = fields.map((field) => putField(field, `($a->${quoted(field)})`))
  const body = [`:put ${quoted(`+${kind}`)}`, ...puts, ...more].join(';')
  return `:foreach a in=[${menu} print as-value] do={${body}}`
}

/** A command that prints one field. @param value an expression */
export function putField(name: string, value: string): string {
  return `:put (${quoted(`${name} `)} . [:tostr ${value}])`
}

/** The items of an answer, by kind. */
export function readItems(lines: readonly string[]): (kind: string) => Item[] {
  const items: { kind: string; fields: Map<string, string> }[] = []
  for (const line of lines) {
    if (line.startsWith('+')) items.push({ kind: line.slice(1), fields: new Map() })
    else {
      const [name = ''] = line.split(' ')
      items.at(-1)?.fields.set(name, line.slice(name.length + 1))
    }
  }
  return (wanted) => items.filter(({ kind }) => kind === wanted).map(({ fields }) => fields)
}

/** A field's text; empty where the item has none. */
export function textOf(item: Item | undefined, field: string): string {
  return item?.get(field) ?? ''
}

/** Whether a field says yes, in the words of RouterOS 6 and 7. */
export function isYes(item: Item | undefined, field: string): boolean {
  return /^(?:yes|true)$/.test(textOf(item, field))
}
