import { randomBase62 } from '../../base62.js'
import type { Random } from '../../clock.js'

/** 131 bits: digests of two runs have nothing in common. */
const LENGTH = 22

/** A salt for the digests by which a router shows its secrets; new for every run, and no secret. */
export function newSalt(random: Random): string {
  return randomBase62(random, LENGTH)
}
