import { UsageError } from '../errors.js'
import type { Workspace } from '../workspace.js'
import { selectTrail } from './store.js'

/** One step that this tool took. */
export interface ListedStep {
  seq: number
  at: string
  /** `change` inside the database; `intent` before and `outcome` after work outside it. */
  phase: string
  action: string
  subject: string
  osUser: string
  host: string
  databaseRole: string
  /** Null outside CI. */
  ciJob: string | null
  details: Record<string, unknown>
  hash: string
}

/** A page of the trail. */
export interface TrailPage {
  steps: ListedStep[]
  /** Where the next page begins; absent on the last one. */
  nextCursor?: string
}

/** Which steps are asked for. */
export interface TrailQuestion {
  /** No older than this, milliseconds. */
  sinceMs?: number | undefined
  /** `device.revoke`, or `device` for everything done to devices. */
  action?: string | undefined
  subject?: string | undefined
  /** An operating system user, a database role or a CI job. */
  actor?: string | undefined
  limit: number
  cursor?: string | undefined
}

/** The newest steps that fit, newest first. Throws UsageError for a cursor that no page gave. */
export async function listTrail(workspace: Workspace, asked: TrailQuestion): Promise<TrailPage> {
  const { sinceMs, cursor, limit } = asked
  if (cursor !== undefined && !/^\d{1,18}$/.test(cursor)) {
    throw new UsageError('bad-cursor', `--cursor ${cursor} is not the nextCursor of a page`)
  }
  const now = workspace.clock.now().getTime()
  const rows = await selectTrail(workspace.database, {
    since: sinceMs === undefined ? undefined : new Date(now - sinceMs),
    action: asked.action,
    subject: asked.subject,
    actor: asked.actor,
    before: cursor,
    limit: limit + 1,
  })
  const steps = rows
    .slice(0, limit)
    .map(({ seq, details, previousHash: _previousHash, ...row }): ListedStep => ({
      seq: Number(seq),
      ...row,
      details: JSON.parse(details) as Record<string, unknown>,
    }))
  const last = steps.at(-1)
  return rows.length > limit && last !== undefined
    ? { steps, nextCursor: String(last.seq) }
    : { steps }
}
