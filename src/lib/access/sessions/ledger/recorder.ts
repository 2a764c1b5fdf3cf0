import { isSqlState, SqlState } from '../../../database/sqlstate.js'
import { RefusedError } from '../../../errors.js'
import type { Workspace } from '../../../workspace.js'
import type { Readings } from '../reading/readings.js'
import { keepReadings, type KeptServer } from '../reading/store.js'
import type { ShownSession } from '../types.js'
import { noteEnd } from './noted-end.js'
import { appendSessions, type ReadSession } from './store.js'

/** So many sessions are worth a transaction of their own. */
export const BATCH = 2000

/** Takes sessions as they are read and adds them to the ledger in batches. */
export class SessionRecorder {
  readonly #workspace: Workspace
  /** Sessions that are not written, or stand out in a further way since, with the logs that tell of them. */
  readonly #changed = new Map<ShownSession, string>()
  readonly #readings: Readings
  #added = 0
  /** The end of the last transaction. Once one failed, none follows: what it held would be missing before. */
  #turn: Promise<unknown> = Promise.resolve()

  /** @param readings of the logs, from where they came */
  constructor(workspace: Workspace, readings: Readings) {
    this.#workspace = workspace
    this.#readings = readings
  }

  /** How many rows were added to the ledger. */
  get added(): number {
    return this.#added
  }

  /** Whether enough has come for a batch. */
  get isFull(): boolean {
    return this.#changed.size >= BATCH
  }

  /** Takes a session. @param log that tells of it */
  take(session: ShownSession, log: string): void {
    this.#changed.set(session, log)
  }

  /** Takes a session that was taken before and stands out in a further way. */
  retake(session: ShownSession): void {
    if (!this.#changed.has(session)) this.#changed.set(session, '')
  }

  /**
   * Writes what was taken, and by the same commit where reading stands.
   * @throws RefusedError where the role may not write, ConflictError where somebody else wrote where reading stands
   */
  async write(): Promise<void> {
    const read = [...this.#changed].map(([session, log]) => ({ session, log }))
    this.#changed.clear()
    const kept = this.#readings.moved()
    const turn = this.#turn.then(async () => this.#append(read, kept))
    this.#turn = turn
    await turn
  }

  async #append(read: readonly ReadSession[], kept: readonly KeptServer[]): Promise<void> {
    if (read.length === 0 && kept.length === 0) return
    this.#added += await this.#workspace.database
      .transaction(async (transaction) => {
        if (kept.length > 0) await keepReadings(transaction, kept)
        return read.length > 0 ? appendSessions(transaction, read) : 0
      })
      .catch(refuse)
  }

  /** Writes the rest, and into the trail where the ledger ends now; also for one that was killed before it could. */
  async finish(): Promise<void> {
    await this.write()
    const { database, actor } = this.#workspace
    await database.transaction((transaction) => noteEnd(transaction, actor, this.#added))
  }
}

function refuse(error: unknown): never {
  if (!isSqlState(error, SqlState.INSUFFICIENT_PRIVILEGE)) throw error
  throw new RefusedError(
    'not-staff',
    'your role only reads the cleverctl database, so no session can be recorded',
    { suggestions: ['cleverctl access sessions --log FILE, without --record'], cause: error },
  )
}
