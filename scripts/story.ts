/** What the demonstrations share: a story is told with the real program, and stops where it is not true. */
import assert from 'node:assert/strict'
import { shellWord } from '../src/lib/shell-word.js'

/** How a command line ended. */
export interface Ended {
  code: number | null
  stdout: string
  stderr: string
  /** stdout with its colours, where the program wrote to a terminal. */
  raw?: string
}

/** What is shown stands further in than the line of its command. */
const INDENT = '    '

/** The width of the terminal to which commands write: tables are not cut to less than is told. */
export const SCREEN = Math.max(process.stdout.columns ?? 100, 100) - INDENT.length

/** A step of a story; it throws when what it tells is not true. */
export interface Step<Cast> {
  title: string
  play: (cast: Cast) => Promise<void>
}

/** Writes a line of the story. */
export function tell(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** Shows a command line and what it said. */
export function report(words: readonly string[], { code, stdout, stderr, raw }: Ended): void {
  const shown = process.stdout.isTTY && raw !== undefined ? raw.replaceAll('\r\n', '\n') : stdout
  const said = `${shown}${stderr}`
    .split('\n')
    // What it is at goes without saying afterwards.
    .filter((line) => line !== '' && !line.startsWith('profile ') && !line.endsWith(' …'))
    .map((line) => INDENT + line)
  const line = words
    .map((word) => (/^[\w@.,:/+=-]+$/.test(word) ? word : shellWord(word)))
    .join(' ')
  tell([`$ cleverctl ${line}`, ...said, `${INDENT}exit code ${code}`].join('\n'))
}

/** Runs a command that must end with `code`, and shows what it says. */
export async function show<Result extends Ended>(
  run: (words: readonly string[]) => Promise<Result>,
  words: readonly string[],
  code = 0,
): Promise<Result> {
  const ended = await run(words)
  report(words, ended)
  assert.equal(ended.code, code)
  assert.doesNotMatch(ended.stderr, /Warning/)
  return ended
}

/** Plays a story from its beginning to its end. */
export async function playStory<Cast>(story: readonly Step<Cast>[], cast: Cast): Promise<void> {
  for (const [index, { title, play }] of story.entries()) {
    tell(`\n${index + 1}. ${title}`)
    await play(cast)
  }
  tell('\nEverything was as it is told.')
}
