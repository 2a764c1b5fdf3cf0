import { ExitCode, IncompleteError, UnreachableError } from '../errors.js'

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

/**
 * Ends a check in which nothing was found wrong.
 * @param options.result what the check found
 * @throws IncompleteError where something could not be looked at, with 7 where a machine was out of reach
 */
export function requireWhole(
  unchecked: readonly Unchecked[],
  options: { result: object; suggestions: readonly string[] },
): void {
  const [first] = unchecked
  if (first === undefined) return
  const isOutOfReach = unchecked.some(({ error }) => error instanceof UnreachableError)
  const exitCode = isOutOfReach ? ExitCode.unreachable : ExitCode.failure
  const message = `could not look at ${first.what}: ${first.error.message}`
  throw new IncompleteError(exitCode, message, options)
}
