import type { SetState, SnapshotSet } from '../snapshot/types.js'
import type { Mark, Screen } from './screen.js'

const MARKS: Record<SetState, Mark> = {
  whole: 'ok',
  open: 'warning',
  partial: 'warning',
  leaving: 'warning',
  gone: 'warning',
}

/** How a set stands, as a colour. */
export function markOfSet({ state }: SnapshotSet): Mark {
  return MARKS[state]
}

/** Draws a set of snapshots, host by host. */
export function drawSet(screen: Screen, set: SnapshotSet): void {
  screen.facts([
    ['set', set.set],
    ['state', set.reason === null ? set.state : `${set.state}: ${set.reason}`],
  ])
  screen.table(set.members, [
    { title: 'HOST', text: ({ host }) => host },
    {
      title: 'SNAPSHOT',
      text: ({ state }) => state,
      mark: ({ state }) => (state === 'taken' ? 'ok' : 'failure'),
    },
    { title: 'ROLE', text: ({ role }) => role ?? '-' },
    { title: 'TIMELINE', text: ({ timeline }) => String(timeline ?? '-'), align: 'right' },
    { title: 'LSN', text: ({ lsn }) => lsn ?? '-' },
    { title: 'TAKEN', text: ({ takenAt }) => screen.time(takenAt) },
  ])
  for (const { host, reason } of set.members)
    if (reason !== null) screen.mark('failure', reason, host)
}
