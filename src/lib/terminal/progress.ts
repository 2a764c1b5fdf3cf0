import type { Log } from '../workspace.js'

type State = Parameters<Log['progress']>[0]

/** Progress of long work on stderr. */
export class Progress {
  /** Takes the newest state; draws it when it is time to. */
  show(_state: State): void {}

  /** Writes something else without spoiling the bar. */
  interrupt(write: () => void): void {
    write()
  }

  /** Takes the bar away. */
  stop(): void {}
}
