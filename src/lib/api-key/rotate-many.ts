import { carryOut } from '../campaign/carry-out.js'
import { planCampaign, requirePace, type CampaignOrder } from '../campaign/start.js'
import type { Selection } from '../campaign/selection-store.js'
import type { CampaignReport, Pace } from '../campaign/types.js'
import { UsageError } from '../errors.js'
import { unknownInstallation } from '../installation/types.js'
import type { Workspace } from '../workspace.js'
import { rotateOperation, toParameters, type RotationParameters } from './rotation-campaign.js'
import { selectKnownCodes } from './store.js'
import { requireLifetime, requireOverlap } from './types.js'

/** Whose keys are replaced, and how. */
export interface ManyRotations extends RotationParameters {
  /** Empty = every installation that has a current key which works. */
  installations: readonly string[]
  pace: Pace
  /** Left to `campaign work`. */
  isDetached: boolean
}

const OPERATIONS = { [rotateOperation.name]: rotateOperation }
const DAY_MS = 86_400_000
/** A key older than this is a mistake in the flag. */
const MAX_AGE_MS = 3650 * DAY_MS

/**
 * What {@link rotateApiKeys} would do; nothing is changed.
 * Throws as it does.
 */
export async function planRotations(
  workspace: Workspace,
  asked: ManyRotations,
): Promise<CampaignReport> {
  return planCampaign(workspace, OPERATIONS, await orderOf(workspace, asked))
}

/**
 * Replaces the keys of many installations, wave by wave: those named in the order in which they are named, else
 * those with the oldest keys first. The new keys are shown to nobody, gates hand them to the loggers. The same
 * order once more goes on with what is unfinished.
 * Throws UsageError, NotFoundError for an installation that does not exist, and what `carryOut` throws.
 */
export async function rotateApiKeys(
  workspace: Workspace,
  asked: ManyRotations & { concurrency: number },
): Promise<CampaignReport> {
  const order = await orderOf(workspace, asked)
  return carryOut(workspace, OPERATIONS, { order, concurrency: asked.concurrency })
}

async function orderOf(workspace: Workspace, asked: ManyRotations): Promise<CampaignOrder> {
  const { overlap, lifetimeMs, olderThanMs, pace, isDetached } = asked
  requireOverlap(overlap)
  requireLifetime(lifetimeMs)
  requirePace(pace)
  if (overlap.graceMs === 0 && overlap.adoption === undefined) throw nobodyWouldHoldThem()
  if (olderThanMs !== undefined && olderThanMs > MAX_AGE_MS)
    throw new UsageError('bad-age', 'an age is 3650d at most')
  const codes = [...new Set(asked.installations)]
  if (codes.length > 0) await requireAll(workspace, codes)
  return {
    operation: rotateOperation.name,
    parameters: toParameters(asked),
    pace,
    selection: codes.length > 0 ? named(codes) : everything(workspace, olderThanMs),
    choice: codes.length > 0 ? codes.join(' ') : 'all',
    isDetached,
  }
}

async function requireAll({ database }: Workspace, codes: readonly string[]): Promise<void> {
  const known = new Set(await selectKnownCodes(database, codes))
  const unknown = codes.filter((code) => !known.has(code))
  if (unknown.length > 0) throw unknownInstallation(...unknown.slice(0, 10))
}

function named(codes: readonly string[]): Selection {
  return {
    text: `select installation.code as target, installation.id as installation_id, given.rank
      from unnest($1::text[]) with ordinality as given (code, rank)
      join cleverctl.installation on installation.code = given.code`,
    values: [codes],
  }
}

function everything({ clock }: Workspace, olderThanMs: number | undefined): Selection {
  const now = clock.now()
  const dueBefore = new Date(now.getTime() - (olderThanMs ?? 0))
  return {
    text: `select installation.code as target, installation.id as installation_id, key.created_at as rank
      from cleverctl.installation
      join cleverctl.api_key as key on key.installation_id = installation.id and key.state = 'CURRENT'
      where installation.retired_at is null and (key.expires_at is null or key.expires_at > $1)
        and key.created_at <= $2`,
    values: [now, dueBefore],
  }
}

function nobodyWouldHoldThem(): UsageError {
  return new UsageError(
    'no-overlap',
    'without an overlap no gate can hand over the new keys of many installations, and nobody would hold them',
    {
      suggestions: [
        'give --grace 24h, or --require-adoption 100%',
        'rotate a key that leaked by itself: cleverctl api-key rotate CODE --grace 0 --output key2.txt',
      ],
    },
  )
}
