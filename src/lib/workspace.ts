import type { Clock, Random } from './clock.js'
import type { Database } from './database/database.js'
import type { Keyring } from './keyring/keyring.js'
import type { Actor } from './trail/actor.js'

/** Where progress and warnings of the library go; never the result, never a secret. */
export interface Log {
  /** A step worth knowing; silent with --quiet. */
  info(message: string): void
  /** Something the user should look at; always shown. */
  warn(message: string): void
  /** Detail for a person who hunts a fault; shown with --verbose. */
  debug(message: string): void
  /** Progress of long work; the terminal draws a bar, a pipe gets nothing. `total` undefined = unknown. */
  progress(progress: { done: number; total: number | undefined; unit: string }): void
}

/**
 * What every function of a noun takes first: the outside world in one object, so that the same
 * code runs under a terminal, cron, the gate and a test with a clock of its own.
 */
export interface Workspace {
  readonly database: Database
  /** Opens the keyring on first use: most commands never need it. Throws RefusedError on a wrong key. */
  keyring(): Promise<Keyring>
  readonly actor: Actor
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Aborted by SIGINT and SIGTERM. Long work checks it between steps. */
  readonly signal: AbortSignal
}
