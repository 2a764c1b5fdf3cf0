import { ExitCode } from '../errors.js'
import { describeFailure, writeFailure } from './failure.js'

/**
 * Ends the process in order when its streams or the program itself fail outside any command:
 * a reader that went away (`| head -1`) is no failure, a full disk is, and an error nobody caught is a bug.
 */
export function handleProcessFaults(options: { json: boolean; verbose: boolean }): void {
  // Before oclif's own listener, which throws.
  process.stdout.prependListener('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit()
    process.stderr.write(
      `error: the result cannot be written to stdout (${error.code ?? 'unknown'})\n`,
    )
    process.exit(ExitCode.failure)
  })
  process.stderr.on('error', () => {})
  process.on('uncaughtException', (error) => {
    const failure = describeFailure(error)
    void writeFailure(failure, error, options).finally(() => process.exit(failure.exitCode))
  })
}
