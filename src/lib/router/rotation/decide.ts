import type { RouterView } from '../drivers/changer.js'

/** What is in force on a router: the old secrets, the new ones, or something that somebody else put there. */
export type Verdict = 'OLD' | 'NEW' | 'FOREIGN'

/** What is known of a rotation after it was cut off. `NONE`: it is no part of the rotation, or says nothing. */
export interface Evidence {
  changeId: string
  view: Pick<RouterView, 'open' | 'last'>
  wifi: Verdict | 'NONE'
  /** By which password the router was opened. */
  login: 'OLD' | 'NEW' | 'NONE'
  /** Whether each part of the rotation shows as new, on air as well, so that it may be confirmed. */
  isProven: boolean
}

/** What is to be done about it, or what has come of it. */
export type Decision = { act: 'confirm' | 'undo' } | { verdict: Verdict }

/** Settles a rotation that was cut off, from what the router shows. Never guesses: what fits nothing is foreign. */
export function decide({ changeId, view, wifi, login, isProven }: Evidence): Decision {
  const { open, last } = view
  if (open?.id === changeId) {
    if (open.state === 'confirmed') return { act: 'confirm' }
    return { act: open.state === 'armed' && isProven ? 'confirm' : 'undo' }
  }
  const isNew = wifi !== 'OLD' && wifi !== 'FOREIGN' && login !== 'OLD'
  const isOld = wifi !== 'NEW' && wifi !== 'FOREIGN' && login !== 'NEW'
  const ended = last?.id === changeId ? last.outcome : undefined
  if (ended === 'confirmed') return { verdict: isNew ? 'NEW' : 'FOREIGN' }
  // Without a trace it was never armed, or the router was reset: then what it shows decides.
  if (isOld) return { verdict: 'OLD' }
  return { verdict: isNew && ended === undefined ? 'NEW' : 'FOREIGN' }
}
