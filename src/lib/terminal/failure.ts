import { ExitCode, ExpectedError } from '../errors.js'
import { oneLine } from './text.js'

/** What a failed command tells, in text and under --json. Only these fields, whatever the error carried. */
export interface Failure {
  code: string
  exitCode: number
  message: string
  suggestions: readonly string[]
  result?: object
}

type Known = Omit<Failure, 'suggestions'>

const UNREACHABLE: Known = {
  code: 'database-unreachable',
  exitCode: ExitCode.unreachable,
  message: 'the database could not be reached or closed the connection',
}
const REFUSED: Known = {
  code: 'database-refused',
  exitCode: ExitCode.refused,
  message: 'the database refused this: the role in use may not do it',
}
const BUSY: Known = {
  code: 'database-busy',
  exitCode: ExitCode.conflict,
  message: 'somebody else changed or held the same rows',
}

/**
 * SQLSTATEs, by their longest matching beginning, that no noun has translated because they may meet
 * any statement. Never the server's own text: it holds values of rows.
 */
const SQLSTATES: readonly (readonly [beginning: string, failure: Known])[] = [
  ['08', UNREACHABLE],
  ['53', UNREACHABLE],
  ['57P', UNREACHABLE],
  ['28', REFUSED],
  ['42501', REFUSED],
  ['40', BUSY],
  ['55P03', BUSY],
]
const CONNECTION_CODES = [
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EAI_AGAIN',
]

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
  return {
    suggestions: [],
    ...(describeForeign(error) ?? {
      code: 'bug',
      exitCode: ExitCode.bug,
      message: 'unexpected fault in cleverctl',
      suggestions: ['give the command again with --verbose and report what it prints'],
    }),
  }
}

/** Tells the failure: one document on stdout for --json, lines on stderr for people. */
export function writeFailure(
  failure: Failure,
  error: unknown,
  options: { json: boolean; verbose: boolean },
): void {
  if (options.json) process.stdout.write(`${JSON.stringify({ error: failure }, null, 2)}\n`)
  else {
    process.stderr.write(`error: ${oneLine(failure.message)}\n`)
    for (const hint of failure.suggestions) process.stderr.write(`hint: ${oneLine(hint)}\n`)
  }
  if (options.verbose) for (const line of traceOf(error)) process.stderr.write(`${line}\n`)
}

/** What is known of errors that libraries and the system throw. */
function describeForeign(error: unknown): Known | undefined {
  if (!(error instanceof Error)) return undefined
  const { code, syscall, path } = error as NodeJS.ErrnoException & { severity?: string }
  if (code === undefined) return undefined
  if ('severity' in error) return SQLSTATES.find(([beginning]) => code.startsWith(beginning))?.[1]
  if (CONNECTION_CODES.includes(code))
    return { ...UNREACHABLE, code: 'unreachable', message: `a connection failed (${code})` }
  if (syscall !== undefined && path !== undefined)
    return {
      code: 'file-failed',
      exitCode: ExitCode.failure,
      message: `${path}: ${syscall} failed (${code})`,
    }
  return undefined
}

/** Where an error came from, without the words of drivers: they may hold values of rows. */
function* traceOf(error: unknown): Generator<string> {
  for (
    let each = error, depth = 0;
    each instanceof Error && depth < 5;
    each = each.cause, depth++
  ) {
    const { code } = each as NodeJS.ErrnoException
    const isOwnWord =
      each instanceof ExpectedError || (each instanceof TypeError && code === undefined)
    yield `debug: ${each.name}${code === undefined ? '' : ` ${code}`}${isOwnWord ? `: ${oneLine(each.message)}` : ''}`
    yield* (each.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
  }
}
