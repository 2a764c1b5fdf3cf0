import { Flags } from '@oclif/core'
import type { Screen } from './screen.js'

/** For commands that take rows from a file. */
export const importFlags = {
  format: Flags.option({ options: ['csv', 'ndjson'] as const })({
    description: 'form of the input (without it: told by its first character)',
  }),
  rejects: Flags.string({
    description: 'where refused rows are listed (without it: FILE.rejects.csv beside the input)',
    helpValue: 'FILE',
  }),
  strict: Flags.boolean({
    description: 'one refused row refuses all: nothing is taken in, exit 2',
  }),
}

/** More of them scroll the counts away; the reject file has all. */
const ROWS_SHOWN = 20

/** Draws the first refused rows. @param name the column that says what each row was about */
export function renderRejects<Reject extends { line: number; code: string; reason: string }>(
  screen: Screen,
  rejects: readonly Reject[],
  name: { title: string; text: (reject: Reject) => string | null },
): void {
  if (rejects.length === 0) return
  screen.table(rejects.slice(0, screen.isTerminal ? ROWS_SHOWN : rejects.length), [
    { title: 'LINE', text: ({ line }) => String(line), align: 'right' },
    { title: name.title, text: (reject) => name.text(reject) ?? '-' },
    { title: 'CODE', text: ({ code }) => code },
    { title: 'REASON', text: ({ reason }) => reason },
  ])
}
