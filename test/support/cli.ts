import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'

/** The built program; `npm run build` makes it. */
export const PROGRAM = fileURLToPath(new URL('../../bin/run.js', import.meta.url))

/** Refuses every connection at once, so that no command starts a database that a test did not ask for. */
const NO_DATABASE = 'postgres://nobody@127.0.0.1:1/none?connect_timeout=1'

/** How a command line came out. */
export interface CliResult {
  /** The exit code; null when a signal ended it. */
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
  /** stdout with escape sequences, where it was a terminal. */
  raw?: string
  /** stdout as the one JSON document that it must be. */
  json(): unknown
}

/** What a command line runs with, beside its words. */
export interface CliOptions {
  /** More environment; the test's own is not handed on. */
  env?: Record<string, string>
  /** What comes on stdin, which then ends; without it stdin is /dev/null. `open` never says a word and never ends. */
  input?: string | { open: true }
  /**
   * CLEVERCTL_HOME. Without it an empty folder that is removed afterwards, with a database that cannot
   * be reached; a test that gives a home clears it up, with the database that may run in it.
   */
  home?: string
  /** bin/run.js of another root, e.g. of {@link buildFixture}. */
  program?: string
  cwd?: string
  /** A process in whose network the program runs. */
  network?: number
  /** So many columns has the terminal that its stdout is; nobody answers there, and stderr is none. */
  screen?: number
  /** Called with the process once it runs, to send it signals. */
  onStart?: (child: ChildProcess) => void
}

/** Runs the real program in a clean environment. Never rejects for what the program does. */
export async function runCli(
  args: readonly string[],
  options: CliOptions = {},
): Promise<CliResult> {
  if (options.screen !== undefined)
    return runCliTty(args, {
      ...options,
      columns: options.screen,
      separate: true,
      isUnattended: true,
    })
  const { environment, discard } = surroundings(options)
  const hasInput = options.input !== undefined
  const [first = '', ...others] = wordsOf(args, options)
  const child = spawn(first, others, {
    env: environment,
    cwd: options.cwd,
    stdio: [hasInput ? 'pipe' : 'ignore', 'pipe', 'pipe'],
  })
  child.stdin?.on('error', () => {})
  if (typeof options.input === 'string') child.stdin?.end(options.input)
  const stdout = collect(child.stdout)
  const stderr = collect(child.stderr)
  options.onStart?.(child)
  const { code, signal } = await ended(child)
  discard()
  return resultOf(code, signal, stdout(), stderr())
}

function wordsOf(args: readonly string[], { program, network }: CliOptions): string[] {
  const elsewhere = network === undefined ? [] : ['nsenter', '-t', String(network), '--net']
  return [...elsewhere, process.execPath, program ?? PROGRAM, ...args]
}

/** A question that is waited for, and what is then typed. */
export interface Answer {
  expect: RegExp
  /** `\r` is the return key, `\x03` Ctrl-C. */
  send: string
}

/**
 * Runs the real program in a pseudo terminal and answers its questions.
 * @param options.columns width of the terminal
 * @param options.separate keeps stderr out of the terminal, so that it can be told from stdout
 * @param options.isUnattended leaves stdin out of it, so that nothing is asked
 * @returns the terminal's text as `stdout` (with escape sequences in `raw`)
 */
export async function runCliTty(
  args: readonly string[],
  options: CliOptions & {
    answers?: readonly Answer[]
    columns?: number
    separate?: boolean
    isUnattended?: boolean
  } = {},
): Promise<CliResult & { raw: string }> {
  const { environment, discard } = surroundings({
    ...options,
    env: { TERM: 'xterm', ...options.env },
  })
  const folder = mkdtempSync(join(tmpdir(), 'cctl-tty-'))
  const stderrFile = join(folder, 'stderr')
  writeFileSync(stderrFile, '')
  const words = wordsOf(args, options).map(quoted).join(' ')
  const redirection =
    (options.separate ? ` 2>${quoted(stderrFile)}` : '') +
    (options.isUnattended ? ' </dev/null' : '')
  const line = `stty cols ${options.columns ?? 100} rows 40; exec ${words}${redirection}`
  const child = spawn('script', ['-qefc', line, '/dev/null'], {
    env: { ...environment, SHELL: '/bin/sh' },
    cwd: options.cwd,
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  child.stdin?.on('error', () => {})
  const stdout = collect(child.stdout)
  options.onStart?.(child)
  const end = ended(child)
  const answers = [...(options.answers ?? [])]
  // What came before the last answer does not count: a question may be asked again.
  let seen = { terminal: 0, stderr: 0 }
  const poll = setInterval(() => {
    const now = { terminal: stdout(), stderr: readFileSync(stderrFile, 'utf8') }
    const news = now.terminal.slice(seen.terminal) + now.stderr.slice(seen.stderr)
    const [answer] = answers
    if (answer === undefined || !answer.expect.test(stripVTControlCharacters(news))) return
    answers.shift()
    seen = { terminal: now.terminal.length, stderr: now.stderr.length }
    child.stdin?.write(answer.send)
  }, 20)
  const { code, signal } = await end
  clearInterval(poll)
  const stderr = readFileSync(stderrFile, 'utf8')
  rmSync(folder, { recursive: true })
  discard()
  const text = stripVTControlCharacters(stdout()).replaceAll('\r\n', '\n')
  return { ...resultOf(code, signal, text, stderr), raw: stdout() }
}

function surroundings(options: CliOptions): {
  environment: Record<string, string>
  discard(): void
} {
  const temporary =
    options.home === undefined ? mkdtempSync(join(tmpdir(), 'cctl-home-')) : undefined
  const home = options.home ?? temporary ?? ''
  return {
    environment: {
      PATH: process.env['PATH'] ?? '',
      HOME: home,
      LANG: 'C.UTF-8',
      CLEVERCTL_HOME: home,
      ...(temporary === undefined ? {} : { CLEVERCTL_DATABASE_URL: NO_DATABASE }),
      ...options.env,
    },
    discard: () => {
      if (temporary !== undefined) rmSync(temporary, { recursive: true, force: true })
    },
  }
}

function resultOf(
  code: number | null,
  signal: NodeJS.Signals | null,
  stdout: string,
  stderr: string,
): CliResult {
  return { code, signal, stdout, stderr, json: () => JSON.parse(stdout) as unknown }
}

function collect(stream: NodeJS.ReadableStream | null): () => string {
  const chunks: Buffer[] = []
  stream?.on('data', (chunk: Buffer) => chunks.push(chunk))
  return () => Buffer.concat(chunks).toString('utf8')
}

function ended(
  child: ChildProcess,
): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal }))
  })
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`
}
