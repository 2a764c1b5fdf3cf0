/** Pseudo-random numbers that a printed seed repeats. */
export interface Seeded {
  seed: number
  /** A whole number from 0 to below `limit`. */
  below(limit: number): number
  /** One of the choices. */
  pick<Choice>(choices: readonly Choice[]): Choice
  /** `length` bytes. */
  bytes(length: number): Buffer
}

/** The generator of a seed (mulberry32); the seed of the environment variable SEED, else of the clock. */
export function seeded(seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)): Seeded {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (limit: number): number => Math.floor(next() * limit)
  return {
    seed,
    below,
    pick: (choices) => {
      const choice = choices[below(choices.length)]
      if (choice === undefined) throw new Error('nothing to choose from')
      return choice
    },
    bytes: (length) => Buffer.from(Array.from({ length }, () => below(256))),
  }
}
