import type { Limit } from './limit.js'
import type { Parameters } from './operation.js'
import type { Wave } from './waves.js'
import type { Window } from './window.js'

/**
 * running: targets are started, as soon as somebody runs it · paused: by a person · stopped: by a stop
 * rule · aborted: the rest is skipped, for good · done: nothing is left to start.
 */
export type CampaignState = 'running' | 'paused' | 'stopped' | 'aborted' | 'done'

/** waiting and running targets are held: no other campaign of the same operation takes them. */
export type TargetState = 'waiting' | 'running' | 'done' | 'unchanged' | 'failed' | 'skipped'

/** All states of targets. */
export const TARGET_STATES: readonly TargetState[] = [
  'waiting',
  'running',
  'done',
  'unchanged',
  'failed',
  'skipped',
]

/** How a campaign proceeds. It lies in the database as JSON. */
export interface Pace {
  waves: readonly Wave[]
  maxFailures: Limit
  /** Null: refusals at the gate do not stop it. */
  maxRefusals: Limit | null
  /** Between the end of a wave and the start of the next, in milliseconds. */
  wavePauseMs: number
  /** Each target waits at random for so long, in milliseconds. */
  jitterMs: number
  /** Null: at any time. */
  window: Window | null
}

/** A campaign's row. */
export interface Campaign {
  id: string
  operation: string
  parameters: Parameters
  pace: Pace
  state: CampaignState
  /** Why it is in this state; null where there is nothing to say. */
  reason: string | null
  stateSince: Date
  /** The wave that is under way, from 1. */
  wave: number
  /** Before this moment the wave under way starts nothing. */
  waveOpensAt: Date | null
  /** What happened before does not count for the stop rules. */
  watchedFrom: Date
  /** Left to `campaign work`. */
  isDetached: boolean
  createdAt: Date
  createdBy: string
}

/** How many targets are in which state. */
export type Counts = Record<TargetState, number>

/** One wave of a campaign. */
export interface WaveReport extends Counts {
  wave: number
  targets: number
  /** The target that it begins with. */
  first: string
}

/** A target that failed. */
export interface FailedTarget {
  target: string
  code: string
  message: string
  attempts: number
  /** The next command. */
  next: string
}

/** What a campaign waits for, since when, and until when where that is known. */
export interface Waiting {
  what: 'window' | 'wave-pause' | 'jitter' | 'person' | 'stop-rule' | 'runner'
  since: string
  until: string | null
  reason: string | null
  /** The command that ends the waiting; null where time does. */
  next: string | null
}

/** How a campaign stands, or would begin: the result of every command about one campaign. */
export interface CampaignReport {
  /** Null where there is none: a plan, or nothing to do. */
  id: string | null
  operation: string
  parameters: Parameters
  pace: Pace
  state: CampaignState | 'planned'
  reason: string | null
  stateSince: string | null
  detached: boolean
  createdAt: string | null
  createdBy: string | null
  targets: number
  /** The wave under way, from 1; 0 in a plan. */
  wave: number
  counts: Counts
  waves: WaveReport[]
  /** The first of those that failed; `counts` has how many there are. */
  failed: FailedTarget[]
  waitsFor: Waiting | null
}
