import { ExitCode, ExpectedError } from '../../src/lib/errors.js'

/** What a command would show and end with; an error without a result is thrown. */
export async function verdictOf<Result>(
  work: Promise<Result>,
): Promise<{ result: Result; exitCode: number }> {
  try {
    return { result: await work, exitCode: ExitCode.ok }
  } catch (error) {
    if (!(error instanceof ExpectedError) || error.result === undefined) throw error
    return { result: error.result as Result, exitCode: error.exitCode }
  }
}
