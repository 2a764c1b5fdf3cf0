import { UsageError } from '../errors.js'

/** How far a wave reaches: so many of all targets, in hundredths or as a number. */
export type Wave = { percent: number } | { count: number }

/** Everything at once. */
export const ONE_WAVE: readonly Wave[] = [{ percent: 100 }]

const MAX_WAVES = 20

/**
 * Reads waves as the flag writes them: `1,1%,10%,100%` is one target first, then as many as make 1% of all,
 * and so on. A last wave with the rest is added where it is missing.
 * Throws UsageError for anything else, and for shares or numbers that do not grow.
 */
export function parseWaves(text: string): Wave[] {
  const waves = text.split(',').map((part): Wave => {
    const [, digits, sign] = /^(\d{1,7})(%?)$/.exec(part.trim()) ?? []
    const value = Number(digits)
    if (digits === undefined || value < 1 || (sign === '%' && value > 100)) throw badWaves()
    return sign === '%' ? { percent: value } : { count: value }
  })
  if (waves.length > MAX_WAVES || !grows(waves)) throw badWaves()
  const last = waves.at(-1)
  const isWhole = last !== undefined && 'percent' in last && last.percent === 100
  return isWhole ? waves : [...waves, { percent: 100 }]
}

/** Waves as the flag writes them. */
export function formatWaves(waves: readonly Wave[]): string {
  return waves.map((wave) => ('percent' in wave ? `${wave.percent}%` : wave.count)).join(',')
}

/**
 * How many targets have been reached at the end of each wave: growing, the last one is `total`. Waves that
 * would have no target of their own are left out, so a small fleet has fewer of them.
 */
export function waveEnds(waves: readonly Wave[], total: number): number[] {
  const ends: number[] = []
  for (const wave of waves) {
    const reach = 'percent' in wave ? Math.ceil((total * wave.percent) / 100) : wave.count
    const end = Math.min(reach, total)
    if (end > (ends.at(-1) ?? 0)) ends.push(end)
  }
  return ends
}

/** A number and a share can be compared only once the fleet is counted. */
function grows(waves: readonly Wave[]): boolean {
  const shares = waves.flatMap((wave) => ('percent' in wave ? [wave.percent] : []))
  const numbers = waves.flatMap((wave) => ('count' in wave ? [wave.count] : []))
  return [shares, numbers].every((list) =>
    list.every((value, index) => index === 0 || value > (list[index - 1] ?? 0)),
  )
}

function badWaves(): UsageError {
  return new UsageError(
    'bad-waves',
    'waves are growing numbers or shares of the targets, such as 1,1%,10%,100%',
  )
}
