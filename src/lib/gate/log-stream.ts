import { createWriteStream } from 'node:fs'

const STDERR = 2
/** Lines that may wait for a slow reader; beyond it lines are dropped and counted. */
const WAITING_BYTES_MAX = 1024 * 1024

/**
 * stderr for the gate's log. Writing to `process.stderr` blocks the whole process while nobody reads
 * the other end of the pipe; a gate must not stop for its log.
 */
export class LogStream {
  readonly #stream = createWriteStream('', { fd: STDERR, autoClose: false })
  #dropped = 0

  constructor() {
    this.#stream.on('error', () => undefined)
  }

  /** Takes one line. */
  write(line: string): void {
    if (this.#stream.writableLength > WAITING_BYTES_MAX) {
      this.#dropped += 1
      return
    }
    if (this.#dropped > 0) {
      this.#stream.write(
        `${JSON.stringify({ level: 'warn', event: 'log.dropped', lines: this.#dropped })}\n`,
      )
      this.#dropped = 0
    }
    this.#stream.write(line)
  }

  /** Takes an event of a process that has no logger of its own. */
  say(level: 'info' | 'warn', event: object): void {
    this.write(`${JSON.stringify({ level, time: new Date().toISOString(), ...event })}\n`)
  }

  /** Waits until what was taken is written, `ms` milliseconds at most. */
  async flush(ms: number): Promise<void> {
    if (this.#stream.writableLength === 0) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#stream.write('', () => {
        clearTimeout(timer)
        resolve()
      })
    })
  }
}
