import { UsageError } from '../errors.js'
import { calendarOf, PERIODS, type Period } from './calendar.js'

/** How much is kept: of so many hours, days, weeks, months and years the first whole copy each. */
export interface RetentionPolicy extends Record<Period, number> {
  /** Whatever is younger is kept, in milliseconds. */
  withinMs: number
  /** Where a day, a week, a month and a year begin: a name of the IANA database. */
  timeZone: string
}

/** Something that may have to go: a snapshot set, a backup. */
export interface Copy {
  id: string
  takenAt: Date
  /** What is not whole never counts as enough. */
  isWhole: boolean
  /** A drill started a server from it. */
  isProven: boolean
  /** Copies that it is no use without. */
  needs: readonly string[]
}

/** Why a copy is kept. */
export type KeepReason =
  | Period
  | 'young'
  | 'from the future'
  | 'last whole one'
  | 'last proven one'
  | 'newer than any whole one'
  | 'needed by another'

/** What is to become of a copy. */
export interface RetentionVerdict {
  id: string
  /** Empty: it may go. */
  keptFor: KeepReason[]
}

/**
 * Decides by grandfather, father and son which copies are kept. Pure, and the same again at the same moment. A copy
 * goes only when it is old **and** more than enough remain: of each period as many newer ones as the policy wants. The
 * first whole copy of a period stands for it, so that one that stands for a month has stood for its day before.
 * Never goes the last whole copy, the last proven one, and what a kept one needs. What bears a time that is still to
 * come is kept and counts for nothing: a clock was wrong.
 * @returns a verdict for each copy, oldest first
 * @throws UsageError for a policy that would keep nothing, and for a time zone that there is none of
 */
export function decideRetention(
  copies: readonly Copy[],
  policy: RetentionPolicy,
  now: Date,
): RetentionVerdict[] {
  requireSound(policy)
  const sorted = [...copies].sort(byAge)
  const reasons = new Map<string, Set<KeepReason>>(sorted.map(({ id }) => [id, new Set()]))
  const keep = (copy: Copy | undefined, reason: KeepReason) =>
    copy && reasons.get(copy.id)?.add(reason)
  const past = sorted.filter(({ takenAt }) => takenAt <= now)
  const whole = past.filter(({ isWhole }) => isWhole)
  const last = whole.at(-1)
  for (const copy of sorted) {
    if (copy.takenAt > now) keep(copy, 'from the future')
    else if (now.getTime() - copy.takenAt.getTime() < policy.withinMs) keep(copy, 'young')
    if (last === undefined || copy.takenAt > last.takenAt) keep(copy, 'newer than any whole one')
  }
  keep(last, 'last whole one')
  keep(past.filter(({ isProven }) => isProven).at(-1), 'last proven one')
  const calendar = calendarOf(policy.timeZone)
  const numbered = whole.map((copy) => ({ copy, numbers: calendar(copy.takenAt) }))
  for (const period of PERIODS) {
    const first = new Map<number, Copy>()
    for (const { copy, numbers } of numbered)
      if (!first.has(numbers[period])) first.set(numbers[period], copy)
    const newest = [...first.values()].reverse().slice(0, policy[period])
    for (const copy of newest) keep(copy, period)
  }
  keepNeeded(sorted, reasons)
  return sorted.map(({ id }) => ({ id, keptFor: [...(reasons.get(id) ?? [])] }))
}

function keepNeeded(copies: readonly Copy[], reasons: ReadonlyMap<string, Set<KeepReason>>): void {
  const needs = new Map(copies.map(({ id, needs }) => [id, needs]))
  const kept = copies.map(({ id }) => id).filter((id) => (reasons.get(id)?.size ?? 0) > 0)
  // Grows while it is walked: what is needed needs others.
  for (const id of kept)
    for (const other of needs.get(id) ?? []) {
      const why = reasons.get(other)
      if (why === undefined || why.has('needed by another')) continue
      if (why.size === 0) kept.push(other)
      why.add('needed by another')
    }
}

function byAge(a: Copy, b: Copy): number {
  return a.takenAt.getTime() - b.takenAt.getTime() || (a.id < b.id ? -1 : 1)
}

function requireSound(policy: RetentionPolicy): void {
  const isCount = (count: number) => Number.isSafeInteger(count) && count >= 0
  if (![policy.withinMs, ...PERIODS.map((period) => policy[period])].every(isCount))
    throw new UsageError('bad-retention', 'how many are kept is a whole number, not below 0')
  if (PERIODS.some((period) => policy[period] > 0)) return
  throw new UsageError('keeps-nothing', 'this would keep nothing but the last one', {
    suggestions: ['--keep-daily 7'],
  })
}
