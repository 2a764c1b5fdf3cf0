import { selectExpiringKeys, selectKeylessInstallations } from '../doctor/store.js'
import { listSigningKeys } from '../signing-key/list.js'
import type { Workspace } from '../workspace.js'
import { nextSteps } from './next-steps.js'
import { countLarge, countReadings, countSmall, selectRefusals, selectTrailEnd } from './store.js'
import type { SigningKeyAge, Status } from './types.js'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const EXPIRY_WARNING_MS = 30 * DAY_MS

/** Tells how things stand. Quick at any size: what is large is estimated and marked so. */
export async function readStatus(workspace: Workspace): Promise<Status> {
  const { database, clock } = workspace
  const now = clock.now()
  const hourAgo = new Date(now.getTime() - HOUR_MS)
  const dayAgo = new Date(now.getTime() - DAY_MS)
  const until = new Date(now.getTime() + EXPIRY_WARNING_MS)
  const small = await countSmall(database, now)
  const { profile, mode, description } = database.target
  const status: Omit<Status, 'next'> = {
    profile,
    database: { mode, description },
    installations: {
      active: small.installations,
      retired: small.retiredInstallations,
      withoutKey: await selectKeylessInstallations(database, now),
    },
    devices: {
      registered: await countLarge(database, 'devices'),
      installed: await countLarge(database, 'installed'),
      revoked: await countLarge(database, 'revoked'),
    },
    installers: small.installers,
    apiKeys: {
      inGrace: small.keysInGrace,
      expiringWithin30Days: await selectExpiringKeys(database, { now, until }),
    },
    signingKeys: await signingKeyAges(workspace),
    readings: {
      lastHour: await countReadings(database, { since: hourAgo, now }),
      lastDay: await countReadings(database, { since: dayAgo, now }),
    },
    refusalsLastDay: await selectRefusals(database, dayAgo),
    ...(await trailEnd(workspace)),
  }
  return { ...status, next: nextSteps(status) }
}

async function signingKeyAges(workspace: Workspace): Promise<SigningKeyAge[]> {
  const { signingKeys } = await listSigningKeys(workspace)
  return signingKeys
    .filter(({ state }) => state === 'ACTIVE' || state === 'NEXT')
    .sort((one, other) => one.state.localeCompare(other.state))
    .map(({ kid, state, activatedAt, createdAt }) => ({
      kid,
      state,
      since: activatedAt ?? createdAt,
    }))
}

async function trailEnd({ database }: Workspace): Promise<Pick<Status, 'trail'>> {
  const end = await selectTrailEnd(database)
  return end === undefined
    ? {}
    : { trail: { ...end, seq: Number(end.seq), at: end.at.toISOString() } }
}
