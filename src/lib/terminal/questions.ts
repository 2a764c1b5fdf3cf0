import { CancelledError, UsageError } from '../errors.js'
import type { Secret } from '../secret.js'
import { harmless } from '../harmless.js'
import { isContinuousIntegration } from './colour.js'
import { checkedSecret } from './secret-input.js'

/** What decides whether a person may be asked. */
export interface Audience {
  /** The command's --no-input. */
  noInput: boolean
  signal: AbortSignal
}

/** Whether a question may be asked: a person at both ends, not a pipeline, not told to be silent. */
function mayAsk(audience: Audience): boolean {
  return (
    process.stdin.isTTY === true &&
    process.stdout.isTTY === true &&
    !isContinuousIntegration(process.env) &&
    !audience.noInput
  )
}

/**
 * Asks for a yes; no is the default.
 * Throws UsageError naming the flag where nobody may be asked, CancelledError on a no.
 */
export async function askYes(
  audience: Audience,
  flagName: string,
  question: string,
): Promise<void> {
  if (!mayAsk(audience)) throw missingFlag(flagName, 'this wants a confirmation')
  await askConfirmation(audience, question)
}

/**
 * The same where a person can be asked; elsewhere nobody is.
 * @param question gives the words, or undefined when there is nothing worth a question
 */
export async function askYesInTerminal(
  audience: Audience,
  question: () => Promise<string | undefined>,
): Promise<void> {
  const words = mayAsk(audience) ? await question() : undefined
  if (words !== undefined) await askConfirmation(audience, words)
}

async function askConfirmation(audience: Audience, question: string): Promise<void> {
  const answer = await ask<boolean>(audience, {
    type: 'confirm',
    message: question,
    default: false,
  })
  if (!answer) throw new CancelledError()
}

/** Asks for a line of text. Throws UsageError naming the flag where nobody may be asked. */
export async function askText(
  audience: Audience,
  input: { flagName: string; question: string; suggestion?: string },
): Promise<string> {
  if (!mayAsk(audience)) throw missingFlag(input.flagName, 'a value is missing')
  const { question, suggestion } = input
  return ask(audience, {
    type: 'input',
    message: question,
    ...(suggestion === undefined ? {} : { default: suggestion }),
  })
}

/** Asks for a line of text that has a usual answer, which it gives where nobody may be asked. */
export async function askChoice(
  audience: Audience,
  input: { question: string; suggestion: string },
): Promise<string> {
  const { question, suggestion } = input
  if (!mayAsk(audience)) return suggestion
  return ask(audience, { type: 'input', message: question, default: suggestion })
}

/**
 * Asks for a secret and, where `repeat` has a wording for it, once more.
 * Throws UsageError naming the flag where nobody may be asked, or when the answer is empty or not the same again.
 */
export async function askSecret(
  audience: Audience,
  input: { flagName: string; question: string; repeat?: string },
): Promise<Secret> {
  if (!mayAsk(audience)) throw missingFlag(input.flagName, 'a secret is missing')
  const { question, repeat } = input
  return repeat === undefined ? askHidden(audience, question) : askTwice(audience, question, repeat)
}

/** Asks for the keyring's passphrase, a new one twice. Throws UsageError where nobody may be asked. */
export async function askPassphrase(audience: Audience, isNew: boolean): Promise<Secret> {
  if (!mayAsk(audience))
    throw new UsageError('missing-passphrase', 'the keyring wants its passphrase', {
      suggestions: ['set CLEVERCTL_KEYRING_PASSPHRASE_FILE to a file that you alone can read'],
    })
  if (!isNew) return askHidden(audience, 'Passphrase of the keyring')
  return askTwice(audience, 'New passphrase of the keyring', 'The same passphrase again')
}

async function askTwice(audience: Audience, question: string, repeat: string): Promise<Secret> {
  const secret = await askHidden(audience, question)
  const again = await askHidden(audience, repeat)
  if (again.reveal() !== secret.reveal())
    throw new UsageError('answers-differ', 'the two answers are not the same')
  return secret
}

function missingFlag(flagName: string, what: string): UsageError {
  return new UsageError('missing-flag', `${what}: give --${flagName}`, {
    suggestions: [`add --${flagName} to the command, or run it in a terminal to be asked`],
  })
}

/** What is typed is shown as stars and cannot be made visible. */
async function askHidden(audience: Audience, question: string): Promise<Secret> {
  const text = await ask<string>(audience, {
    type: 'password',
    message: question,
    mask: '*',
    toggleMask: false,
  })
  return checkedSecret(text, 'the answer')
}

type Question =
  | { type: 'confirm'; message: string; default: boolean }
  | { type: 'input'; message: string; default?: string }
  | { type: 'password'; message: string; mask: string; toggleMask: boolean }

/** Questions go to stderr: stdout is the result and may be on its way into a file. */
async function ask<Answer>(audience: Audience, question: Question): Promise<Answer> {
  const { default: inquirer } = await import('inquirer')
  const prompt = inquirer.createPromptModule({ output: process.stderr, signal: audience.signal })
  const words = { ...question, message: harmless(question.message), name: 'answer' }
  try {
    const { answer } = (await prompt([words])) as { answer: Answer }
    return answer
  } catch (error) {
    const isGivenUp =
      error instanceof Error && ['ExitPromptError', 'AbortPromptError'].includes(error.name)
    throw isGivenUp ? new CancelledError() : error
  }
}
