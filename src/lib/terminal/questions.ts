import { CancelledError, UsageError } from '../errors.js'
import type { Secret } from '../secret.js'
import { checkedSecret } from './secret-input.js'

/** What decides whether a person may be asked. */
export interface Audience {
  /** The command's --no-input. */
  noInput: boolean
  signal: AbortSignal
}

/** Whether a question may be asked: a person at both ends, not a pipeline, not told to be silent. */
export function mayAsk(audience: Pick<Audience, 'noInput'>): boolean {
  return (
    process.stdin.isTTY === true &&
    process.stdout.isTTY === true &&
    !isContinuousIntegration(process.env) &&
    !audience.noInput
  )
}

/** Whether this is a job of a CI service, by the variable all of them set. */
export function isContinuousIntegration(environment: NodeJS.ProcessEnv): boolean {
  return !['', '0', 'false', undefined].includes(environment.CI)
}

/** Asks yes or no; no is the default. */
export async function askYes(audience: Audience, question: string): Promise<boolean> {
  return ask(audience, { type: 'confirm', message: question, default: false })
}

/** Asks for a line of text. */
export async function askText(
  audience: Audience,
  question: string,
  suggestion?: string,
): Promise<string> {
  return ask(audience, {
    type: 'input',
    message: question,
    ...(suggestion === undefined ? {} : { default: suggestion }),
  })
}

/** Asks for a secret; what is typed is shown as stars and cannot be made visible. Throws UsageError when it is empty. */
export async function askSecret(audience: Audience, question: string): Promise<Secret> {
  const text = await ask<string>(audience, {
    type: 'password',
    message: question,
    mask: '*',
    toggleMask: false,
  })
  return checkedSecret(text, 'the answer')
}

/** Asks for a secret and, where `repeat` has a wording for it, once more. Throws UsageError when the two differ. */
export async function askNewSecret(
  audience: Audience,
  question: string,
  repeat: string | undefined,
): Promise<Secret> {
  const secret = await askSecret(audience, question)
  if (repeat === undefined) return secret
  const again = await askSecret(audience, repeat)
  if (again.reveal() !== secret.reveal())
    throw new UsageError('answers-differ', 'the two answers are not the same')
  return secret
}

/** The error for a value that is missing where nobody may be asked for it. */
export function missingFlag(flagName: string, what: string): UsageError {
  return new UsageError('missing-flag', `${what}: give --${flagName}`, {
    suggestions: [`add --${flagName} to the command, or run it in a terminal to be asked`],
  })
}

type Question =
  | { type: 'confirm'; message: string; default: boolean }
  | { type: 'input'; message: string; default?: string }
  | { type: 'password'; message: string; mask: string; toggleMask: boolean }

/** Questions go to stderr: stdout is the result and may be on its way into a file. */
async function ask<Answer>(audience: Audience, question: Question): Promise<Answer> {
  const { default: inquirer } = await import('inquirer')
  const prompt = inquirer.createPromptModule({ output: process.stderr, signal: audience.signal })
  try {
    const { answer } = (await prompt([{ ...question, name: 'answer' }])) as { answer: Answer }
    return answer
  } catch (error) {
    const isGivenUp =
      error instanceof Error && ['ExitPromptError', 'AbortPromptError'].includes(error.name)
    throw isGivenUp ? new CancelledError() : error
  }
}
