import { StatementError } from '../database/statement-error.js'
import { ExitCode, ExpectedError, FindingsError, IncompleteError, PartialError } from '../errors.js'
import { colourPalette, plainPalette, wantsColour } from './colour.js'
import { oneLine } from './text.js'

/** What a failed command tells, in text and under --json. Only these fields, whatever the error carried. */
export interface Failure {
  code: string
  exitCode: number
  message: string
  suggestions: readonly string[]
  result?: object
}

/** Causes of causes are followed this far. */
const MAX_CAUSES = 5

/** Maps any error to what the user is told and to the exit code. The only place that decides it. */
export function describeFailure(error: unknown): Failure {
  if (error instanceof ExpectedError) {
    return {
      code: error.code,
      exitCode: error.exitCode,
      message: error.message,
      suggestions: error.suggestions,
      ...(error.result === undefined ? {} : { result: error.result }),
    }
  }
  return (
    describeFileFailure(error) ?? {
      code: 'bug',
      exitCode: ExitCode.bug,
      message: 'unexpected fault in cleverctl',
      suggestions: ['give the command again with --verbose and report what it prints'],
    }
  )
}

/** Whether a failure brings a result that people want to see although it is none to rely on. */
export function isHalfResult(error: unknown): error is ExpectedError & { result: object } {
  const kinds = [PartialError, FindingsError, IncompleteError]
  return (
    kinds.some((kind) => error instanceof kind) && (error as ExpectedError).result !== undefined
  )
}

/**
 * Tells the failure: one document on stdout for --json, else one line for each thing on stderr. What was
 * learned before the failure stands in the document where success would have put it, beside `error`.
 */
export async function writeFailure(
  failure: Failure,
  error: unknown,
  options: { json: boolean; indent?: number; verbose: boolean },
): Promise<void> {
  const { result, ...told } = failure
  if (options.json) {
    process.stdout.write(
      `${JSON.stringify({ ...result, error: told }, null, options.indent ?? 2)}\n`,
    )
  } else {
    const isColoured = wantsColour(process.stderr.isTTY === true, process.env)
    const palette = isColoured ? await colourPalette() : plainPalette
    process.stderr.write(`${palette.bad('error:')} ${oneLine(failure.message)}\n`)
    for (const hint of failure.suggestions)
      process.stderr.write(`${palette.faint('hint:')} ${oneLine(hint)}\n`)
  }
  if (options.verbose) for (const line of traceOf(error)) process.stderr.write(`${line}\n`)
}

/** The system could not do something with a file: the user can act on it, and a path is no secret. */
function describeFileFailure(error: unknown): Failure | undefined {
  if (!(error instanceof Error)) return undefined
  const { code, syscall, path } = error as NodeJS.ErrnoException
  if (code === undefined || syscall === undefined || path === undefined) return undefined
  return {
    code: 'file-failed',
    exitCode: ExitCode.failure,
    message: `${path}: ${syscall} failed (${code})`,
    suggestions: [],
  }
}

/** Where an error came from, without the words of drivers: they may hold values of rows or of input. */
function* traceOf(error: unknown): Generator<string> {
  let each = error
  for (let depth = 0; each instanceof Error && depth < MAX_CAUSES; depth++) {
    const { code } = each as NodeJS.ErrnoException
    const words = hasHarmlessWords(each) ? `: ${oneLine(each.message)}` : ''
    yield `debug: ${each.name}${code === undefined ? '' : ` ${oneLine(String(code))}`}${words}`
    yield* (each.stack ?? '').split('\n').filter((line) => /^ +at /.test(line))
    each = each.cause
  }
}

/** Our own errors, and V8's own about a slip in the program, which speak of names and not of values. */
function hasHarmlessWords(error: Error): boolean {
  if (error instanceof ExpectedError || error instanceof StatementError) return true
  return (error instanceof TypeError || error instanceof ReferenceError) && !('code' in error)
}
