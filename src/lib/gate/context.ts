import type { Workspace } from '../workspace.js'
import type { Addresses } from './addresses.js'
import type { Arrivals } from './arrivals.js'
import type { BoundedDatabase } from './bounded.js'
import type { KeyUsage } from './key-usage.js'
import type { Limits } from './limits.js'
import type { Memory } from './memory.js'
import type { Metrics } from './metrics.js'
import type { ReadingWriter } from './reading-writer.js'
import type { RefusalCounter } from './refusal-counter.js'
import type { Sightings } from './sightings.js'
import type { SignerSource } from './signer-source.js'
import type { Successors } from './successors.js'
import type { WifiMoves } from './wifi-moves.js'

/** What the routes of one gate process share. */
export interface GateContext {
  workspace: Workspace
  /** For questions that somebody waits for. */
  database: BoundedDatabase
  memory: Memory
  arrivals: Arrivals
  limits: Limits
  metrics: Metrics
  signer: SignerSource
  writer: ReadingWriter
  refusals: RefusalCounter
  usage: KeyUsage
  sightings: Sightings
  addresses: Addresses
  successors: Successors
  wifiMoves: WifiMoves
  /** Life of a device's token, in milliseconds. */
  tokenTtlMs: number
}
