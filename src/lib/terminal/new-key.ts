import type { UndeliveredKey } from '../api-key/deliver-to-sinks.js'
import type { NewApiKey } from '../api-key/types.js'
import type { Screen } from './screen.js'

/**
 * Draws a new API key without the key itself, or where it could not be delivered.
 * @param further facts that come after those of every new key
 */
export function drawNewKey(
  screen: Screen,
  made: NewApiKey | UndeliveredKey,
  further: readonly (readonly [string, string])[] = [],
): void {
  screen.facts([
    ['installation', made.installation],
    ['key id', made.keyId],
  ])
  if ('sinks' in made) {
    screen.table(
      [...made.sinks],
      [
        { title: 'SINK', text: ({ sink }) => sink },
        { title: 'OUTCOME', text: ({ outcome }) => outcome },
        { title: 'REASON', text: ({ reason }) => reason ?? '-' },
      ],
      'no sink was tried',
    )
    return
  }
  screen.facts([
    ['version', String(made.version)],
    ['expires', screen.time(made.expiresAt)],
    ...(made.deliveredTo ?? []).map((name) => ['delivered to', name] as const),
    ...further,
  ])
}
