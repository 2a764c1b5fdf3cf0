import { ExitCode, ExpectedError } from '../errors.js'

/** What a failed command tells, in text and under --json. Only these fields, whatever the error carried. */
export interface Failure {
  code: string
  exitCode: number
  message: string
  suggestions: readonly string[]
  result?: object
}

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
  return { code: 'bug', exitCode: ExitCode.bug, message: 'unexpected fault in cleverctl', suggestions: [] }
}
