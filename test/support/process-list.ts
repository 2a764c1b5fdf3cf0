import { readdirSync, readFileSync } from 'node:fs'

/** The processes that a process has started and not lost. */
export function childrenOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return children.split(' ').filter(Boolean).map(Number)
}

/** Short enough to see every command that takes as long as it takes to start. */
const EVERY_MS = 20

/** The command lines of all processes, looked at again and again, as any user of the machine may. */
export class ProcessList {
  readonly #seen = new Set<string>()
  #timer: NodeJS.Timeout | undefined

  /** Begins to look. */
  start(): void {
    this.#timer = setInterval(() => this.#look(), EVERY_MS)
  }

  /** Ends it. */
  stop(): void {
    clearInterval(this.#timer)
  }

  /** Every command line seen so far, one a line. */
  text(): string {
    return [...this.#seen].join('\n')
  }

  #look(): void {
    for (const line of commandLines()) this.#seen.add(line)
  }
}

/** The command lines of the processes that run now. */
export function commandLines(): string[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    try {
      const line = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ')
      return line === '' ? [] : [line]
    } catch {
      // It has ended since.
      return []
    }
  })
}
