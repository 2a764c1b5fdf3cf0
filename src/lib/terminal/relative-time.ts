const STEPS: readonly (readonly [unit: Intl.RelativeTimeFormatUnit, seconds: number])[] = [
  ['year', 365 * 86_400],
  ['month', 30 * 86_400],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
]

/** A moment as a person says it, rounded: `3 minutes ago`, `in 2 days`, `now`. */
export function relativeTime(at: Date, now: Date): string {
  const seconds = (at.getTime() - now.getTime()) / 1000
  // 59 minutes and 50 seconds are an hour, and not 60 minutes.
  const [unit, size] = STEPS.find(([, size], index) => {
    const finer = STEPS[index + 1]?.[1] ?? 1
    return Math.round(Math.abs(seconds) / finer) * finer >= size
  }) ?? ['second', 1]
  return new Intl.RelativeTimeFormat('en', { numeric: 'auto' }).format(
    Math.round(seconds / size),
    unit,
  )
}
