import { FindingsError } from '../errors.js'
import type { Workspace } from '../workspace.js'
import { requireOwner } from './owner.js'
import { rotationProblems, type Nearness, type RotationProblem } from './rotation-problems.js'
import {
  selectRotations,
  selectStragglers,
  type RotationRow,
  type StragglerRow,
} from './status-store.js'
import { selectOwner } from './store.js'

/** How the change of an installation's key goes on. */
export interface RotationStatus {
  installation: string
  current: { keyId: string; version: number; createdAt: string; expiresAt: string | null } | null
  /** A key that waits to be confirmed where it is used; it does not open the gate yet. */
  pendingKeyId: string | null
  /** Former keys that still open the gate. */
  grace: {
    keyId: string
    version: number
    graceUntil: string
    adoptionPercent: number | null
    adoptionFrom: string | null
  }[]
  /** Devices that stand there and may send. */
  devices: number
  /** How many of them were seen with the current key. */
  adopted: number
  /** The others; none where the current key is the first one. */
  stragglers: Straggler[]
  problems: RotationProblem[]
}

/** A device that was not seen with the current key. */
export interface Straggler {
  serial: string
  lastSeenAt: string | null
  /** The key it was seen with last. */
  lastKeyId: string | null
}

/** How the keys of installations stand. */
export interface ApiKeyStatus {
  installations: RotationStatus[]
  /** Where the next page begins; absent on the last one. */
  nextCursor?: string
}

/** A week's end fits into it. */
export const DEFAULT_NEAR_MS = 3 * 86_400_000
/** Time to have a rotation adopted before the old key is over. */
const EXPIRY_NEAR_MS = 14 * 86_400_000
const CHECK_PAGE = 500

/** A page of {@link apiKeyStatus}. */
export interface StatusQuestion {
  /** Undefined: every installation whose keys are changing or in trouble. */
  installation: string | undefined
  /** How long before its end a former key counts as near it, in milliseconds. */
  nearMs: number
  limit: number
  cursor?: string | undefined
}

/**
 * How far rotations have come: which key is current, which former ones still work and until when, how many
 * devices have the new one, and which do not.
 * Throws NotFoundError when there is no such installation.
 */
export async function apiKeyStatus(
  workspace: Workspace,
  asked: StatusQuestion,
): Promise<ApiKeyStatus> {
  const { installation, limit } = asked
  const { database, clock } = workspace
  if (installation !== undefined)
    requireOwner(await selectOwner(database, installation), installation)
  const now = clock.now()
  const near: Nearness = { deadlineMs: asked.nearMs, expiryMs: EXPIRY_NEAR_MS }
  const soon = new Date(now.getTime() + near.expiryMs)
  const page = { installation, now, soon, after: asked.cursor, limit: limit + 1 }
  const rows = await selectRotations(database, page)
  const shown = rows.slice(0, limit)
  const changing = shown.filter(({ current }) => current === null || current.version > 1)
  const stragglers = await selectStragglers(
    database,
    changing.map(({ installationId }) => installationId),
  )
  const byInstallation = new Map<string, StragglerRow[]>()
  for (const straggler of stragglers) {
    const { installationId } = straggler
    byInstallation.set(installationId, [...(byInstallation.get(installationId) ?? []), straggler])
  }
  const installations = shown.map((row) =>
    show(row, byInstallation.get(row.installationId) ?? [], rotationProblems(row, now, near)),
  )
  const last = rows.length > limit ? shown.at(-1) : undefined
  return { installations, ...(last && { nextCursor: last.installation }) }
}

/**
 * The same for a check: all installations that have a problem, and no others.
 * @throws FindingsError with them when there is one
 */
export async function checkApiKeys(
  workspace: Workspace,
  asked: { installation: string | undefined; nearMs: number },
): Promise<ApiKeyStatus> {
  const found: RotationStatus[] = []
  let cursor: string | undefined
  do {
    workspace.signal.throwIfAborted()
    const page = await apiKeyStatus(workspace, { ...asked, limit: CHECK_PAGE, cursor })
    found.push(...page.installations.filter(({ problems }) => problems.length > 0))
    cursor = page.nextCursor
  } while (cursor !== undefined)
  const result = { installations: found }
  const [first] = found
  if (first === undefined) return result
  throw new FindingsError(
    'api-keys-need-attention',
    `${found.length} installation${found.length === 1 ? ' has' : 's have'} API keys that need attention`,
    { result, suggestions: [`cleverctl api-key status ${first.installation}`] },
  )
}

function show(
  row: RotationRow,
  stragglers: readonly StragglerRow[],
  problems: RotationProblem[],
): RotationStatus {
  const { current } = row
  return {
    installation: row.installation,
    current: current && {
      ...current,
      createdAt: current.createdAt.toISOString(),
      expiresAt: current.expiresAt?.toISOString() ?? null,
    },
    pendingKeyId: row.pendingKeyId,
    grace: row.former.map((key) => ({
      ...key,
      graceUntil: key.graceUntil.toISOString(),
      adoptionFrom: key.adoptionFrom?.toISOString() ?? null,
    })),
    devices: row.devices,
    adopted: row.adopted,
    stragglers: stragglers.map(showStraggler),
    problems,
  }
}

/** A device that was not seen with a key, for display. */
export function showStraggler({ serial, lastSeenAt, lastKeyId }: StragglerRow): Straggler {
  return { serial, lastSeenAt: lastSeenAt?.toISOString() ?? null, lastKeyId }
}
