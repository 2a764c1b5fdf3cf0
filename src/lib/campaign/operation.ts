import type { Transaction } from '../database/database.js'
import type { Workspace } from '../workspace.js'

/** Parameters of an operation as they lie in the database: JSON, and never a secret. */
export type Parameters = Readonly<Record<string, string | number | boolean | null>>

/** What became of one target. */
export type Outcome =
  | { state: 'done' }
  /** It was so already. */
  | { state: 'unchanged' }
  /** `code` and `message` as those of an error; no secret. */
  | { state: 'failed'; code: string; message: string }

/** What an operation is told about the campaign. */
export interface Context {
  parameters: Parameters
  /** The campaign's id. */
  campaign: string
  /** When the campaign was made: what was done to a target after this need not be done again. */
  startedAt: Date
  /**
   * Runs `work` in a transaction and records the outcome that it gives in the same one, so that the
   * change and its record are there together or not at all. An operation whose work lies outside the
   * database returns its outcome instead.
   * Throws when this runner does not hold the target any more; then nothing is changed.
   */
  settle(work: (transaction: Transaction) => Promise<Outcome>): Promise<Outcome>
}

/** Something that can be done to many targets, one by one. */
export interface Operation {
  /** As its command is called, e.g. `api-key rotate`. */
  readonly name: string
  /** Opens what every target needs; what it throws ends the run before any target is touched. */
  prepare(workspace: Workspace, parameters: Parameters): Promise<void>
  /**
   * Does it to one target. An ExpectedError counts as a failure of this target; where the database
   * cannot be reached the target is given back and the run ends.
   */
  perform(workspace: Workspace, target: string, context: Context): Promise<Outcome>
  /** The command for a person to look after a target that failed. */
  nextStep(target: string): string
}

/** All operations that a process knows, by name. */
export type Operations = Readonly<Record<string, Operation>>
