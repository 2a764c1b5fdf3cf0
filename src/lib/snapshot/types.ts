import { NotFoundError, UsageError } from '../errors.js'

/** How a set stands: `open` while it is made, or after that was interrupted; `leaving` while it is deleted. */
export type SetState = 'open' | 'whole' | 'partial' | 'leaving' | 'gone'

/** A snapshot of one host, as one of a set. */
export interface SnapshotMember {
  host: string
  /** `failed`: it was not seen to be there, though something of it may be. */
  state: 'planned' | 'taken' | 'failed' | 'gone'
  /** What a server started from it has at least; null where it was not taken. */
  lsn: string | null
  timeline: number | null
  /** What the host was at that moment, by what PostgreSQL said. */
  role: 'primary' | 'standby' | null
  systemIdentifier: string | null
  /** By the clock of the host. */
  takenAt: string | null
  /** Why it was not taken; null where it was. */
  reason: string | null
}

/** Snapshots of several hosts that were made together. */
export interface SnapshotSet {
  /** Its name. */
  set: string
  stanza: string
  state: SetState
  begunAt: string
  members: SnapshotMember[]
  /** Why it is partial although every snapshot was taken; null otherwise. */
  reason: string | null
}

const LABEL_FORM = /^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/
const SET_FORM = /^\d{8}-\d{6}(?:-[a-z0-9-]{1,40})?$/

/**
 * The name of a set: when it was begun, in UTC, and its label.
 * @throws UsageError for a label that cannot be part of a name
 */
export function nameOfSet(at: Date, label: string | undefined): string {
  if (label !== undefined && !LABEL_FORM.test(label))
    throw new UsageError(
      'bad-label',
      'a label is small letters, digits and hyphens between them, 40 at most',
      { suggestions: ['--label nightly'] },
    )
  const [date = '', time = ''] = at.toISOString().split(/[T.]/)
  const moment = `${date.replaceAll('-', '')}-${time.replaceAll(':', '')}`
  return label === undefined ? moment : `${moment}-${label}`
}

/** What a snapshot of a set is called on its host. */
export function nameOnHost(set: string): string {
  return `cleverctl-${set}`
}

/** Refuses what is no name of a set. @throws UsageError */
export function requireSetName(name: string): void {
  if (!SET_FORM.test(name))
    throw new UsageError('bad-set', 'a set is named like 20261125-030000-nightly', {
      suggestions: ['cleverctl snapshot list'],
    })
}

/** The error for a name that no set has. */
export function unknownSet(name: string): NotFoundError {
  return new NotFoundError('set-not-found', `no snapshot set is recorded as ${name}`, {
    suggestions: ['cleverctl snapshot list'],
  })
}
