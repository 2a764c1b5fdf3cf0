import { systemClock, systemRandom } from '../../src/lib/clock.js'
import { UsageError } from '../../src/lib/errors.js'
import type { Surroundings } from '../../src/lib/surroundings.js'
import { silentLog } from './database.js'

/**
 * The outside world of a command that nobody sits at: real clock and randomness, a silent log, an
 * environment that holds `environment` and nothing else.
 */
export function testSurroundings(
  environment: Record<string, string>,
  overrides: Partial<Surroundings> = {},
): Surroundings {
  return {
    environment,
    actor: { osUser: 'tester', host: 'test-host', ciJob: undefined },
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    signal: new AbortController().signal,
    askPassphrase: async () => {
      throw new UsageError('missing-passphrase', 'nobody is there to be asked')
    },
    ...overrides,
  }
}
