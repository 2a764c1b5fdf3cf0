import { systemRandom } from '../../../src/lib/clock.js'
import type { Stand } from './types.js'

export const [NOWHERE, NOTHING, NOBODY] = ['solar-none', 'CDX-NONE', 'nobody@example.com'] as const
export const HOST_KEY = `SHA256:${'A'.repeat(42)}E`
export const OTHER_HOST_KEY = `SHA256:${'B'.repeat(42)}E`

/** A secret that no other one is. */
export const secretWord = (): string => systemRandom.bytes(12).toString('hex')

/** Writes the file by which a command is given the password of a person to be added. */
export const passwordFile = (stand: Stand, text = stand.password): string =>
  stand.file('password.txt', `${text}\n`)
