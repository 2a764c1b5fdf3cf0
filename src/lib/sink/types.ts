import type { Random } from '../clock.js'
import type { Secret } from '../secret.js'
import type { Log } from '../workspace.js'

/** Where a new secret is used: it is put there and nowhere else. */
export interface Sink {
  /** Names the sink in results, errors and the trail. Of a command it tells nothing: it may hold a secret. */
  readonly name: string
  /** False where what was delivered cannot be taken back. */
  readonly canPutBack: boolean
  /** Throws an ExpectedError when it is plain beforehand that a secret cannot be delivered here. */
  check(): Promise<void>
  /**
   * Delivers the secret; done when the sink has confirmed that it has it. A sink that fails is as it was
   * before, unless `canPutBack` is false. The same secret may be delivered twice.
   * Throws ExpectedError, or what the signal was aborted with.
   */
  deliver(secret: Secret, surroundings: SinkSurroundings): Promise<Delivered>
}

/** What a sink has taken. */
export interface Delivered {
  /** Makes the sink what it was before, as far as nobody changed it since. */
  putBack(): Promise<void>
}

/** What sinks need of a workspace. */
export interface SinkSurroundings {
  readonly random: Random
  readonly log: Pick<Log, 'debug'>
  readonly signal: AbortSignal
}
