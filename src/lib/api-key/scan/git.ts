import { spawn } from 'node:child_process'
import { realpath } from 'node:fs/promises'
import { resolve } from 'node:path'
import { FailureError } from '../../errors.js'
import { errorCode } from '../../file-system.js'

/** A repository on this machine. */
export interface Repository {
  /** Where git is to be run. */
  folder: string
  /** Its `.git`, which work trees share: two folders with the same one are one repository. */
  id: string
  /** Why its history is not here in full; undefined when it is. */
  gap: string | undefined
}

/** What runs git: the environment of the command, and what stops it. */
export interface GitContext {
  environment: NodeJS.ProcessEnv
  signal: AbortSignal
}

/** What git may know of our environment; a hook's GIT_DIR would lead it to another repository. */
const INHERITED = ['PATH', 'HOME', 'XDG_CONFIG_HOME', 'USERPROFILE', 'SystemRoot', 'TMPDIR']
/** Nothing is fetched, nothing replaced, nothing written, nobody asked. */
const SETTINGS = {
  LC_ALL: 'C',
  GIT_NO_LAZY_FETCH: '1',
  GIT_NO_REPLACE_OBJECTS: '1',
  GIT_OPTIONAL_LOCKS: '0',
  GIT_TERMINAL_PROMPT: '0',
}
/** A repository's own configuration must not make git run programs. */
const OPTIONS = ['--no-pager', '-c', 'core.fsmonitor=false', '-c', 'log.showSignature=false']
/** What git says of a failure is kept so far, in characters. */
const MAX_WORDS = 300

/** The repository that a folder belongs to; undefined when it belongs to none. Throws FailureError. */
export async function findRepository(
  folder: string,
  context: GitContext,
): Promise<Repository | undefined> {
  const asked = await ask(folder, ['rev-parse', '--git-common-dir'], context)
  if (asked.code !== 0) {
    if (/not a git repository/.test(asked.words)) return undefined
    throw gitFailed(asked)
  }
  const id = await realpath(resolve(folder, asked.stdout.replace(/\n$/, '')))
  const shallow = await ask(folder, ['rev-parse', '--is-shallow-repository'], context)
  const partial = await ask(
    folder,
    ['config', '--get-regexp', '^remote\\..*\\.partialclonefilter$'],
    context,
  )
  const gap =
    shallow.stdout.trim() === 'true'
      ? 'it is a shallow clone: earlier commits are not here'
      : partial.code === 0
        ? 'it is a partial clone: some contents are not here'
        : undefined
  return { folder, id, gap }
}

/**
 * Runs git and gives its stdout piece by piece.
 * Throws FailureError when git is missing or ends with a failure, the signal's reason when stopped.
 */
export async function* streamGit(
  folder: string,
  words: readonly string[],
  context: GitContext,
): AsyncGenerator<Buffer> {
  const child = start(folder, words, context)
  const end = ended(child)
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (said.length < MAX_WORDS) said += text
  })
  try {
    for await (const piece of child.stdout as AsyncIterable<Buffer>) yield piece
    const { code, error } = await end
    context.signal.throwIfAborted()
    if (error !== undefined) throw gitMissing(error)
    if (code !== 0) throw gitFailed({ words: said })
  } finally {
    child.kill()
  }
}

async function ask(
  folder: string,
  words: readonly string[],
  context: GitContext,
): Promise<{ code: number | null; stdout: string; words: string }> {
  const child = start(folder, words, context)
  let [stdout, said] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  const { code, error } = await ended(child)
  context.signal.throwIfAborted()
  if (error !== undefined) throw gitMissing(error)
  return { code, stdout, words: said }
}

function start(folder: string, words: readonly string[], { environment, signal }: GitContext) {
  return spawn('git', [...OPTIONS, ...words], {
    cwd: folder,
    env: environmentFor(environment),
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  })
}

function ended(child: ReturnType<typeof start>): Promise<{ code: number | null; error?: unknown }> {
  return new Promise((done) => {
    child.on('error', (error) => done({ code: null, error }))
    child.on('close', (code) => done({ code }))
  })
}

function environmentFor(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = INHERITED.flatMap((name) => {
    const value = environment[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return { ...Object.fromEntries(kept), ...SETTINGS }
}

function gitMissing(error: unknown): FailureError {
  return new FailureError('git-failed', `cannot run git (${errorCode(error)})`)
}

function gitFailed({ words }: { words: string }): FailureError {
  const [first = ''] = words.slice(0, MAX_WORDS).split('\n')
  return new FailureError('git-failed', `git: ${first || 'it failed without a word'}`)
}
