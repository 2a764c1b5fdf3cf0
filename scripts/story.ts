/** What the demonstrations share: a story is told with the real program, and stops where it is not true. */
import assert from 'node:assert/strict'

/** How a command line ended. */
export interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

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
export function report(words: readonly string[], { code, stdout, stderr }: Ended): void {
  const said = `${stdout}${stderr}`
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('profile '))
    .map((line) => `    ${line}`)
  tell([`$ cleverctl ${words.join(' ')}`, ...said, `    exit code ${code}`].join('\n'))
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
