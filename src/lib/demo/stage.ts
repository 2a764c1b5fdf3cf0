import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readState } from '../database/embedded/state.js'
import { FailureError } from '../errors.js'
import { freePort } from '../free-port.js'
import { parseObject } from '../json.js'
import { askGate, type GateAddress } from './http.js'

/** How one command ended. */
export interface CommandOutcome {
  code: number
  /** The JSON document it printed; an empty object where it printed none. */
  document: Record<string, unknown>
  stderr: string
}

const GATE_READY_TIMEOUT_MS = 20_000
const GATE_STOP_TIMEOUT_MS = 15_000

/**
 * A temporary home with its own embedded database, in which the real commands run as processes of
 * their own, and which leaves nothing behind.
 */
export class Stage {
  readonly directory: string
  readonly #program: readonly string[]
  readonly #environment: NodeJS.ProcessEnv
  readonly #signal: AbortSignal
  #gateProcess: ChildProcess | undefined

  private constructor(directory: string, program: readonly string[], signal: AbortSignal) {
    this.directory = directory
    this.#program = program
    this.#signal = signal
    this.#environment = {
      ...withoutForeignSettings(process.env),
      CLEVERCTL_HOME: join(directory, 'home'),
    }
  }

  /** Makes the temporary directory. `program` is the command line that starts cleverctl. */
  static async open(program: readonly string[], signal: AbortSignal): Promise<Stage> {
    return new Stage(await mkdtemp(join(tmpdir(), 'cleverctl-demo-')), program, signal)
  }

  /** Path of a file inside the temporary directory. */
  path(name: string): string {
    return join(this.directory, name)
  }

  /** Writes a file that only its owner may read. */
  async write(name: string, content: string): Promise<string> {
    await writeFile(this.path(name), content, { mode: 0o600 })
    return this.path(name)
  }

  /** Reads a file without its last newline. */
  async read(name: string): Promise<string> {
    return (await readFile(this.path(name), 'utf8')).trimEnd()
  }

  /** Runs one command with --json and --no-input to its end. */
  async run(...command: readonly string[]): Promise<CommandOutcome> {
    const [executable = process.execPath, ...prefix] = this.#program
    const child = spawn(executable, [...prefix, ...command, '--json', '--no-input'], {
      env: this.#environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const [stdout, stderr, code] = await Promise.all([
      textOf(child.stdout),
      textOf(child.stderr),
      new Promise<number>((resolve, reject) => {
        child.on('error', reject)
        child.on('close', (status) => resolve(status ?? 1))
      }),
    ])
    return { code, document: parseObject(stdout) ?? {}, stderr }
  }

  /** Runs a command that must succeed; throws FailureError with its own words otherwise. */
  async must(...command: readonly string[]): Promise<Record<string, unknown>> {
    const outcome = await this.run(...command)
    if (outcome.code !== 0) {
      throw new FailureError(
        'demo-command-failed',
        `cleverctl ${command.slice(0, 2).join(' ')} ended with exit code ${outcome.code}`,
        { suggestions: [messageOf(outcome)] },
      )
    }
    return outcome.document
  }

  /** Starts the gate on a free port of the loopback address and waits until it says that it is ready. */
  async startGate(): Promise<GateAddress> {
    const port = await freePort()
    const [executable = process.execPath, ...prefix] = this.#program
    const command = [
      'gate',
      'serve',
      '--address',
      '127.0.0.1',
      '--port',
      String(port),
      '--self-signed',
    ]
    const child = spawn(executable, [...prefix, ...command], {
      env: this.#environment,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    this.#gateProcess = child
    const stderr: string[] = []
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => stderr.push(chunk))
    const deadline = Date.now() + GATE_READY_TIMEOUT_MS
    while (Date.now() < deadline && child.exitCode === null && !this.#signal.aborted) {
      const gate = await this.#tryGate(port)
      if (gate) return gate
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    throw new FailureError('demo-gate-not-ready', 'the gate did not become ready', {
      suggestions: [stderr.join('').trim().split('\n').at(-1) ?? ''],
    })
  }

  async #tryGate(port: number): Promise<GateAddress | undefined> {
    try {
      const certificate = await readFile(this.path('home/gate/self-signed.crt'), 'utf8')
      const gate = { host: '127.0.0.1', port, certificate }
      const answer = await askGate(gate, { method: 'GET', path: '/readyz' })
      return answer.status === 200 ? gate : undefined
    } catch {
      return undefined // not listening yet
    }
  }

  /** Stops the gate and the embedded database and removes their files and the directory. Never throws. */
  async close(): Promise<void> {
    const gate = this.#gateProcess
    if (gate?.exitCode === null && gate.signalCode === null) {
      const ended = new Promise((resolve) => gate.once('exit', resolve))
      gate.kill('SIGTERM')
      const timer = setTimeout(() => gate.kill('SIGKILL'), GATE_STOP_TIMEOUT_MS)
      await ended
      clearTimeout(timer)
    }
    // Of root's server the files lie elsewhere, where its account may come to.
    const server = await readState(this.path('home')).catch(() => undefined)
    await this.run('database', 'stop').catch(() => undefined)
    for (const folder of [server?.place, server?.socketFolder, this.directory])
      if (folder !== undefined)
        await rm(folder, { recursive: true, force: true }).catch(() => undefined)
  }
}

/** The demo must not reach a real database through the caller's environment. */
function withoutForeignSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => !/^(CLEVERCTL_(?!POSTGRES)|PG)/.test(name)),
  )
}

/** A failed command's own words, from its JSON error. */
function messageOf({ document, stderr }: CommandOutcome): string {
  const { error } = document as { error?: { message?: string } }
  return error?.message ?? stderr.trim().split('\n').at(-1) ?? ''
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString('utf8')
}
