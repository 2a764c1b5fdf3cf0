import type { ScriptResult } from '../ssh/types.js'

const LONGEST = 300

/** The last line that a script wrote to stderr, or to stdout where it wrote none, for a message. */
export function lastWords({ stderr, stdout }: ScriptResult): string {
  const lines = (text: Buffer) =>
    text
      .toString('utf8')
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '')
  return (lines(stderr).at(-1) ?? lines(stdout).at(-1) ?? 'no word').slice(0, LONGEST)
}
