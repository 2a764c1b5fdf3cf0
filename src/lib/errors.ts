/**
 * The exit codes of every command, in one table (design contract; `cleverctl help exit-codes`).
 * Numbers appear nowhere else in the code.
 */
export const ExitCode = {
  ok: 0,
  failure: 1,
  usage: 2,
  partial: 3,
  refused: 4,
  notFound: 5,
  conflict: 6,
  unreachable: 7,
  findings: 8,
  bug: 70,
  interrupted: 130,
  terminated: 143,
} as const

/** One of the numbers of {@link ExitCode}. */
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]

interface Options {
  /** Next commands to type, one line each; printed as `hint:` lines. */
  suggestions?: readonly string[]
  /** What was learned before the failure; printed as the error's `result` under --json. */
  result?: object
  cause?: unknown
}

/**
 * A failure the user can act on. `code` is a stable lower-case word with hyphens for scripts;
 * `message` names what failed and on which object, lower case, no full stop, no secret.
 */
export abstract class ExpectedError extends Error {
  abstract readonly exitCode: ExitCode
  readonly code: string
  readonly suggestions: readonly string[]
  readonly result: object | undefined

  constructor(code: string, message: string, options: Options = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = code
    this.suggestions = options.suggestions ?? []
    this.result = options.result
  }

  /** Adds what is known beside the failure, e.g. of which targets it is. */
  withResult(result: object): this {
    return Object.assign(this, { result })
  }
}

/** The work was tried and did not succeed, or a check could not be carried out. */
export class FailureError extends ExpectedError {
  readonly exitCode = ExitCode.failure
}

/** Wrong usage or bad input; nothing was changed. */
export class UsageError extends ExpectedError {
  readonly exitCode = ExitCode.usage
}

/** Some targets failed; `result` says for each target what happened. */
export class PartialError extends ExpectedError {
  readonly exitCode = ExitCode.partial
}

/** Not allowed, or a wrong credential or key. */
export class RefusedError extends ExpectedError {
  readonly exitCode = ExitCode.refused
}

/** The named object does not exist. */
export class NotFoundError extends ExpectedError {
  readonly exitCode = ExitCode.notFound
}

/** The state of things forbids it, or somebody else holds the lock. */
export class ConflictError extends ExpectedError {
  readonly exitCode = ExitCode.conflict
}

/** A machine or the database could not be reached. */
export class UnreachableError extends ExpectedError {
  readonly exitCode = ExitCode.unreachable
}

/** A check was carried out and found something; `result` holds the findings. */
export class FindingsError extends ExpectedError {
  readonly exitCode: ExitCode

  /** @param options.exitCode for findings that scripts must tell from others */
  constructor(code: string, message: string, options: Options & { exitCode?: ExitCode } = {}) {
    super(code, message, options)
    this.exitCode = options.exitCode ?? ExitCode.findings
  }
}

/**
 * Some checks could not be carried out, so nothing is known about what they look at; `result` holds
 * what the others found.
 */
export class IncompleteError extends ExpectedError {
  readonly exitCode: ExitCode

  /** @param exitCode `unreachable` when a machine or the database was out of reach */
  constructor(
    exitCode: typeof ExitCode.failure | typeof ExitCode.unreachable,
    message: string,
    options: Options,
  ) {
    super('not-checked', message, options)
    this.exitCode = exitCode
  }
}

/** The user or the system asked the command to stop (SIGINT, SIGTERM, Ctrl-C in a question). */
export class CancelledError extends ExpectedError {
  readonly exitCode: ExitCode

  /** @param options.suggestions how to go on with what was left */
  constructor(signal: 'SIGINT' | 'SIGTERM' = 'SIGINT', options: Options = {}) {
    super('cancelled', 'cancelled', options)
    this.exitCode = signal === 'SIGTERM' ? ExitCode.terminated : ExitCode.interrupted
  }
}
