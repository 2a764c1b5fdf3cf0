import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Report } from './command-worker.js'

const WORKER = fileURLToPath(new URL('./command-worker.ts', import.meta.url))

/**
 * Runs many command lines of the built program in one process of their own: for tests that need
 * hundreds of them and look at neither signals nor stdin.
 */
export class CommandWorker {
  readonly #child: ChildProcess

  /**
   * @param env the environment of every command
   * @param cwd where they run
   */
  constructor(env: Record<string, string>, cwd: string) {
    this.#child = fork(WORKER, {
      cwd,
      env: { PATH: process.env['PATH'] ?? '', LANG: 'C.UTF-8', ...env },
      execArgv: [`--import=${import.meta.resolve('tsx')}`],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
  }

  /** Runs one; await it before the next. Rejects when the process ended under it. */
  async run(words: readonly string[], env: Record<string, string> = {}): Promise<Report> {
    const gone = new AbortController()
    const ended = once(this.#child, 'exit', { signal: gone.signal }).then(() => {
      throw new Error(`the process ended: ${JSON.stringify(words).slice(0, 500)}`)
    })
    ended.catch(() => undefined)
    this.#child.send({ words, env })
    try {
      const [report] = (await Promise.race([
        once(this.#child, 'message', { signal: gone.signal }),
        ended,
      ])) as [Report]
      return report
    } finally {
      gone.abort()
    }
  }

  /** Ends the process. */
  stop(): void {
    this.#child.kill('SIGKILL')
  }
}
