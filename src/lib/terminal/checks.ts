import type { Mark, Screen } from './screen.js'

/** A check that was made, as far as it is drawn. */
export interface DrawnCheck {
  id: string
  title: string
  verdict: 'ok' | 'warning' | 'failure' | 'not-checked'
  detail: string
  /** What to do next. */
  next?: string
}

/** Nothing is known, which is no better than a failure. */
const UNKNOWN: Mark = 'failure'

/**
 * Draws checks, one a line with the next step under it; in a pipe verdict, id, detail and next step,
 * tab-separated.
 */
export function drawChecks(screen: Screen, checks: readonly DrawnCheck[]): void {
  if (!screen.isTerminal) {
    screen.table(checks, [
      { title: 'VERDICT', text: ({ verdict }) => verdict },
      { title: 'CHECK', text: ({ id }) => id },
      { title: 'SEEN', text: ({ detail }) => detail },
      { title: 'NEXT', text: ({ next }) => next ?? '' },
    ])
    return
  }
  const titles = checks.map(({ title }) => title)
  for (const { title, verdict, detail, next } of checks) {
    if (verdict === 'not-checked') screen.mark(UNKNOWN, `not checked: ${detail}`, title, titles)
    else screen.mark(verdict, detail, title, titles)
    if (next !== undefined) screen.step(next)
  }
}
