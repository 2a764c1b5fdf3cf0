import type { Straggler } from '../api-key/status.js'
import type { Column, Screen } from './screen.js'

/** How devices are listed that were not seen with a key. */
export function stragglerColumns(screen: Screen): Column<Straggler>[] {
  return [
    { title: 'SERIAL', text: ({ serial }) => serial },
    { title: 'LAST SEEN', text: ({ lastSeenAt }) => screen.time(lastSeenAt) },
    { title: 'WITH KEY', text: ({ lastKeyId }) => lastKeyId ?? '-' },
  ]
}
