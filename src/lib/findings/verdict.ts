import { ExitCode, FindingsError, IncompleteError } from '../errors.js'

/** What a check found, in a few words. */
export interface FoundWords {
  /** Stable word for scripts. */
  code: string
  words: string
  suggestions?: readonly string[]
  /** For findings that scripts must tell from others. */
  exitCode?: ExitCode
}

/** What could not be checked. */
export interface UncheckedWords {
  words: string
  /** Whether it is because a machine or the database could not be reached. */
  isOutOfReach: boolean
  suggestions?: readonly string[]
}

/**
 * What a check comes to: its result, or the error that has it as its result. A finding goes before what could
 * not be checked, and that is never good.
 * @throws FindingsError, IncompleteError
 */
export function verdictOn<Result extends object>(
  result: Result,
  { found, unchecked }: { found: FoundWords | false; unchecked: UncheckedWords | false },
): Result {
  if (found) {
    const { code, words, ...more } = found
    const message = unchecked ? `${words}; ${unchecked.words}` : words
    throw new FindingsError(code, message, { result, ...more })
  }
  if (!unchecked) return result
  const { words, isOutOfReach, suggestions = [] } = unchecked
  const exitCode = isOutOfReach ? ExitCode.unreachable : ExitCode.failure
  throw new IncompleteError(exitCode, words, { result, suggestions })
}
