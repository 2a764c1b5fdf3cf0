import type { RotationRow } from './status-store.js'

/** What may be wrong with the keys of an installation. */
export type RotationProblem =
  'no-current-key' | 'expired' | 'expires-soon' | 'deadline-near' | 'deadline-passed'

/** What each problem means, for people. */
export const ROTATION_PROBLEMS: Record<RotationProblem, string> = {
  'no-current-key': 'no current key, and devices stand there',
  expired: 'the current key has expired',
  'expires-soon': 'the current key expires soon',
  'deadline-near': 'a former key ends soon, and devices still need it',
  'deadline-passed': 'former keys have ended, and devices never came with the current one',
}

/** How soon is soon. */
export interface Nearness {
  /** For the end of a former key, in milliseconds; never more than half of its overlap. */
  deadlineMs: number
  /** For the expiry of a current key, in milliseconds. */
  expiryMs: number
}

/** What is wrong with the keys of an installation at `now`; empty where all goes as it should. */
export function rotationProblems(
  { current, former, devices, adopted }: Omit<RotationRow, 'installation' | 'installationId'>,
  now: Date,
  near: Nearness,
): RotationProblem[] {
  const problems: RotationProblem[] = []
  const within = (moment: Date | null, ms: number) =>
    moment !== null && moment.getTime() - now.getTime() <= ms
  if (current === null) return devices > 0 ? ['no-current-key'] : []
  if (within(current.expiresAt, 0)) problems.push('expired')
  else if (within(current.expiresAt, near.expiryMs)) problems.push('expires-soon')
  // An installation's first key replaced none: a device that never came with it lacks no new one.
  if (current.version === 1 || adopted === devices) return problems
  if (former.length === 0) problems.push('deadline-passed')
  else if (former.some(({ graceUntil }) => within(graceUntil, nearEnd(graceUntil))))
    problems.push('deadline-near')
  return problems

  function nearEnd(graceUntil: Date): number {
    const overlapMs = graceUntil.getTime() - (current?.createdAt.getTime() ?? 0)
    return Math.min(near.deadlineMs, overlapMs / 2)
  }
}
