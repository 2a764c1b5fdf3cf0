import { apiKeyStanding } from '../standing.js'
import type { KnownApiKey, KnownDevice } from './store.js'
import type { Find, Leak, LeakState } from './types.js'

/** States in which a leaked secret opens something, now or as soon as it is given out. */
const LIVE: readonly LeakState[] = ['PENDING', 'CURRENT', 'GRACE']

/** What the database knows of the texts that were found. */
export interface Knowledge {
  /** By key id. */
  keys: ReadonlyMap<string, KnownApiKey>
  /** By digest of a present or former secret, in hexadecimal. */
  devices: ReadonlyMap<string, KnownDevice>
}

/**
 * What a find means at `now`.
 * @param known undefined where no database was asked
 */
export function judge(find: Find, known: Knowledge | undefined, now: Date): Leak {
  const { candidate, origin, line, column } = find
  const place = { ...origin, line, column }
  const { kind, keyId, checksumMatches } = candidate
  const { state, serial, installation } =
    known === undefined
      ? { state: 'NOT-CHECKED' as const, serial: null, installation: null }
      : kind === 'api-key'
        ? judgeApiKey(candidate, known, now)
        : judgeDeviceSecret(candidate, known, now)
  const live = known === undefined ? null : LIVE.includes(state)
  const leak = { kind, keyId, serial: serial ?? candidate.serial, ...place, checksumMatches, state }
  const next = live === true ? nextFor({ kind, serial, installation }) : null
  return { ...leak, live, installation, revoked: false, next }
}

interface Judgement {
  state: LeakState
  serial: string | null
  installation: string | null
}

const UNKNOWN: Judgement = { state: 'UNKNOWN', serial: null, installation: null }

function judgeApiKey(candidate: Find['candidate'], { keys }: Knowledge, now: Date): Judgement {
  const key = keys.get(candidate.keyId ?? '')
  // The id is no secret and stands in lists and logs: only the whole text makes it that key.
  if (key === undefined || !key.digest.equals(candidate.digest)) return UNKNOWN
  const { installation } = key
  const standing = apiKeyStanding(key, now)
  const isOver = key.installationRetiredAt !== null && standing !== 'REVOKED'
  return { state: isOver ? 'RETIRED' : standing, serial: null, installation }
}

function judgeDeviceSecret(
  candidate: Find['candidate'],
  { devices }: Knowledge,
  now: Date,
): Judgement {
  const device = devices.get(candidate.digest.toString('hex'))
  if (device === undefined) return UNKNOWN
  const { serial, installation, revokedAt, previousSecretUntil } = device
  const isPresent = device.secretSha256.equals(candidate.digest)
  const hasGrace = previousSecretUntil !== null && previousSecretUntil > now
  const standing = isPresent ? 'CURRENT' : hasGrace ? 'GRACE' : 'RETIRED'
  return { state: revokedAt === null ? standing : 'REVOKED', serial, installation }
}

function nextFor(leak: Pick<Leak, 'kind' | 'serial' | 'installation'>): string {
  return leak.kind === 'api-key'
    ? `cleverctl api-key rotate ${leak.installation} --grace 0 --output key.txt`
    : `cleverctl device rotate-secret ${leak.serial} --output secret.txt`
}
