import { UnreachableError } from '../errors.js'
import type { UncheckedWords } from '../findings/verdict.js'

/** Something that could not be looked at. */
export interface Unchecked {
  what: string
  error: Error
}

/** The same in the result of a command. */
export interface NotChecked {
  what: string
  reason: string
}

/** Puts into words, for a result, what could not be looked at. */
export function toNotChecked(unchecked: readonly Unchecked[]): NotChecked[] {
  return unchecked.map(({ what, error }) => ({ what, reason: error.message }))
}

/** Says of a check, for its verdict, what could not be looked at. */
export function uncheckedWords(
  unchecked: readonly Unchecked[],
  suggestions: readonly string[],
): UncheckedWords | false {
  const [first] = unchecked
  return (
    first !== undefined && {
      words: `could not look at ${first.what}: ${first.error.message}`,
      isOutOfReach: unchecked.some(({ error }) => error instanceof UnreachableError),
      suggestions,
    }
  )
}
