import type { Scene } from './scene.js'

/** `not-checked`: the check could not be carried out, so nothing is known. */
export type Verdict = 'ok' | 'warning' | 'failure' | 'not-checked'

/** What a check found. */
export interface Finding {
  verdict: Verdict
  /** What was seen, in a line. */
  detail: string
  /** What to do next, mostly a command; absent when all is well. */
  next?: string
}

/** A finding with the check that made it. */
export interface CheckResult extends Finding {
  /** Stable, for scripts. */
  id: string
  title: string
}

/** One thing that is looked at. Changes nothing. */
export interface Check {
  id: string
  title: string
  /** Throws ExpectedError when it cannot be carried out. */
  run(scene: Scene): Promise<Finding>
}

/** All is well. */
export const ok = (detail: string): Finding => ({ verdict: 'ok', detail })

/** It works, and somebody should do something about it. */
export const warning = (detail: string, next: string): Finding => ({
  verdict: 'warning',
  detail,
  next,
})

/** It does not work, or it is not safe. */
export const failure = (detail: string, next: string): Finding => ({
  verdict: 'failure',
  detail,
  next,
})
