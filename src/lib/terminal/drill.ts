import type { DrillCheck } from '../drill/types.js'
import type { Mark, Screen } from './screen.js'

const MARKS: Record<DrillCheck['state'], Mark> = {
  ok: 'ok',
  failed: 'failure',
  'not-checked': 'failure',
  absent: 'warning',
}

/** Draws what the checks of a drill found. */
export function drawChecks(screen: Screen, checks: readonly DrillCheck[]): void {
  const names = checks.map(({ name }) => name)
  for (const { name, state, message } of checks) {
    const text = state === 'not-checked' ? `not checked: ${message}` : message
    screen.mark(MARKS[state], text, name, names)
  }
}
