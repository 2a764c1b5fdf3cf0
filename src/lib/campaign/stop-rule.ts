import { formatLimit, isOver } from './limit.js'
import type { Campaign } from './types.js'

/** What the stop rules look at; all of it since the campaign was started or resumed. */
export interface Course {
  /** Targets that failed in the wave under way. */
  failedInWave: number
  /** All targets of the wave under way; 0 while none has failed. */
  targetsInWave: number
  /** Targets that failed in any wave. */
  failed: number
  /** Targets that are done. */
  done: number
  /** Those of them at which the gate refuses more than before. */
  refused: number
}

/**
 * Why a campaign has to stop; undefined when it may go on. A share of failures counts within the wave under way,
 * so that the one plant of a first wave counts as much as a hundred later; a number counts all of them.
 * A share of refusals counts within all targets that are done.
 */
export function stopReason(
  { wave, pace }: Pick<Campaign, 'wave' | 'pace'>,
  course: Course,
): string | undefined {
  const { maxFailures, maxRefusals } = pace
  const isShare = 'percent' in maxFailures
  const failed = isShare ? course.failedInWave : course.failed
  if (isOver(maxFailures, failed, course.targetsInWave)) {
    const where = isShare ? ` of ${course.targetsInWave} in wave ${wave}` : ''
    return `failures: ${failed}${where}, more than ${formatLimit(maxFailures)}`
  }
  if (maxRefusals !== null && isOver(maxRefusals, course.refused, course.done))
    return `refusals at the gate rose at ${course.refused} of ${course.done} targets, more than ${formatLimit(maxRefusals)}`
  return undefined
}
