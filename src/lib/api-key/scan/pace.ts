import { setImmediate } from 'node:timers/promises'
import type { Log } from '../../workspace.js'
import type { ScanReport } from './types.js'

/** Files are read without giving way, which is three times as fast; after so much others may act. */
const FILES_AT_ONCE = 256
const BYTES_AT_ONCE = 16 * 1024 * 1024

/** Counts what was scanned, tells of it and lets signals through now and then. */
export class Pace {
  readonly scanned: ScanReport['scanned'] = { files: 0, objects: 0, bytes: 0 }
  readonly #log: Log
  readonly #signal: AbortSignal
  #files = 0
  #bytes = 0

  constructor(log: Log, signal: AbortSignal) {
    this.#log = log
    this.#signal = signal
  }

  /** To be called after every piece. @returns whether {@link rest} is due */
  took(bytes: number): boolean {
    this.scanned.bytes += bytes
    this.#bytes += bytes
    this.#files += 1
    return this.#files >= FILES_AT_ONCE || this.#bytes >= BYTES_AT_ONCE
  }

  /** Gives way. Throws the signal's reason when the command was stopped. */
  async rest(): Promise<void> {
    this.#files = 0
    this.#bytes = 0
    const { files, objects } = this.scanned
    const [done, unit] = objects > 0 ? [objects, 'git objects'] : [files, 'files']
    this.#log.progress({ done, total: undefined, unit })
    await setImmediate()
    this.#signal.throwIfAborted()
  }
}
