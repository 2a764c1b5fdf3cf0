import { randomBytes } from 'node:crypto'

/** Where time comes from, so that expiry and rotation can be tested. */
export interface Clock {
  /** The present moment, wall clock. */
  now(): Date
}

/** Where randomness comes from. Production uses the operating system's generator only. */
export interface Random {
  /** `size` unpredictable bytes; the caller owns the buffer. */
  bytes(size: number): Buffer
}

/** The machine's own clock. */
export const systemClock: Clock = { now: () => new Date() }

/** The operating system's random generator. */
export const systemRandom: Random = { bytes: (size) => randomBytes(size) }
