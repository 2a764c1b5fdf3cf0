import type { Log } from '../workspace.js'
import { oneLine } from './text.js'
import type { Progress } from './progress.js'

/** How much a command says beside its result. */
export interface Loudness {
  /** No progress, no notices. */
  quiet: boolean
  /** Details for hunting a fault. */
  verbose: boolean
}

/** The workspace's log on stderr, one line a message. */
export function stderrLog(loudness: Loudness, progress: Progress): Log {
  const write = (line: string) =>
    progress.interrupt(() => process.stderr.write(`${oneLine(line)}\n`))
  return {
    info: (message) => {
      if (!loudness.quiet) write(message)
    },
    warn: (message) => write(`warning: ${message}`),
    debug: (message) => {
      if (loudness.verbose) write(`debug: ${message}`)
    },
    progress: (state) => {
      if (!loudness.quiet) progress.show(state)
    },
  }
}
