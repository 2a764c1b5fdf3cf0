import { apiKeyStanding, type ApiKeyLife, type ApiKeyStanding } from '../api-key/standing.js'
import { refusalOf, type DeviceClaims, type TokenFault } from '../token/types.js'
import { requirementOf, type RefusalCode, type Requirement } from './types.js'

/** The row of the API key that was shown, together with its installation's. */
export interface KeyRow extends ApiKeyLife {
  id: string
  keyId: string
  version: number
  installation: {
    id: string
    code: string
    tokenEpoch: number
    retiredAt: Date | null
    /** The version of the Wi-Fi passphrase to move to; null where no former one works beside it. */
    wifiVersion?: number | null
  }
}

/** What was found for the API key: nothing sent, no row or another digest, or its row. */
export type KeyFact = { found: 'missing' } | { found: 'unknown' } | { found: 'row'; row: KeyRow }

/** What a token says about its bearer, once every rule that needs no row holds. */
export type TokenClaims = Pick<
  DeviceClaims,
  'serial' | 'installation' | 'installationEpoch' | 'deviceEpoch'
>

/** What lib/token found about the token. */
export type TokenFact = { ok: true; claims: TokenClaims } | { ok: false; code: TokenFault }

/** A device of the registry and its latest placement. */
export interface DeviceRow {
  id: string
  serial: string
  tokenEpoch: number
  revokedAt: Date | null
  placement: PlacementRow | null
}

/** The latest placement of a device; `until` is null while the device stands there. */
export interface PlacementRow {
  installationId: string
  installationCode: string
  since: Date
  until: Date | null
}

/** Everything the decision on an arrival depends on. `device` is the one that the token names. */
export interface ArrivalFacts {
  now: Date
  key: KeyFact
  token: TokenFact
  device: DeviceRow | undefined
}

/** Everything the decision on a request for a token depends on. `device` is the one in the body. */
export interface TokenRequestFacts {
  now: Date
  key: KeyFact
  device: DeviceRow | undefined
  secretMatches: boolean
}

/** Who arrived: the rows that let it in. */
export interface Arrival {
  key: KeyRow
  device: DeviceRow
}

/** The verdict on an arrival. */
export type Decision =
  | ({ verdict: 'accepted' } & Arrival)
  | { verdict: 'refused'; requirement: Requirement; code: RefusalCode }

/** How one requirement came out, with what the next one builds on. */
export type Check<Found> = { passed: true; found: Found } | { passed: false; code: RefusalCode }

/**
 * Decides whether data is taken in: all three requirements in order, cheap checks first. The same
 * function decides at `/v1/data`, at `/v1/authorize` and in `gate explain`.
 */
export function decideArrival(facts: ArrivalFacts): Decision {
  const access = checkAccess(facts)
  if (!access.passed) return refuse(access.code)
  const device = checkManufactured(facts.device)
  if (!device.passed) return refuse(device.code)
  const installed = checkInstalled(device.found, access.found)
  if (!installed.passed) return refuse(installed.code)
  return { verdict: 'accepted', key: access.found, device: device.found }
}

/** Decides whether a device gets a token: the same requirements, its own secret in place of a token. */
export function decideTokenRequest(facts: TokenRequestFacts): Decision {
  const { device, secretMatches } = facts
  const key = checkKey(facts.key, facts.now)
  if (!key.passed) return refuse(key.code)
  if (device !== undefined && !secretMatches) return refuse('S_WRONG')
  const manufactured = checkManufactured(device)
  if (!manufactured.passed) return refuse(manufactured.code)
  const installed = checkInstalled(manufactured.found, key.found)
  if (!installed.passed) return refuse(installed.code)
  return { verdict: 'accepted', key: key.found, device: manufactured.found }
}

/** Requirement 1: the API key and the token are right and belong together. */
export function checkAccess(facts: ArrivalFacts): Check<KeyRow> {
  const key = checkKey(facts.key, facts.now)
  if (!key.passed) return key
  if (!facts.token.ok) return { passed: false, code: refusalOf(facts.token.code) }
  const { claims } = facts.token
  const { installation } = key.found
  if (claims.installation !== installation.code) return { passed: false, code: 'X_SITE_MISMATCH' }
  if (claims.installationEpoch !== installation.tokenEpoch)
    return { passed: false, code: 'T_EPOCH' }
  return isDeviceEpochOver(claims, facts.device) ? { passed: false, code: 'T_EPOCH' } : key
}

/** The part of requirement 1 that needs the API key alone. */
export function checkKey(key: KeyFact, now: Date): Check<KeyRow> {
  if (key.found === 'missing') return { passed: false, code: 'K_MISSING' }
  if (key.found === 'unknown') return { passed: false, code: 'K_UNKNOWN' }
  const code = STANDING_CODES[apiKeyStanding(key.row, now)]
  if (code !== undefined) return { passed: false, code }
  if (key.row.installation.retiredAt !== null) return { passed: false, code: 'K_SITE_RETIRED' }
  return { passed: true, found: key.row }
}

/** Requirement 2: the device was manufactured, and is not revoked. */
export function checkManufactured(device: DeviceRow | undefined): Check<DeviceRow> {
  if (device === undefined) return { passed: false, code: 'D_NOT_MANUFACTURED' }
  if (device.revokedAt !== null) return { passed: false, code: 'D_REVOKED' }
  return { passed: true, found: device }
}

/** Requirement 3: the device was installed with the mobile app, at the installation of the key. */
export function checkInstalled(device: DeviceRow, key: KeyRow): Check<PlacementRow> {
  const { placement } = device
  if (placement === null) return { passed: false, code: 'I_NONE' }
  if (placement.until !== null) return { passed: false, code: 'I_CLOSED' }
  if (placement.installationId !== key.installation.id) {
    return { passed: false, code: 'I_OTHER_SITE' }
  }
  return { passed: true, found: placement }
}

const STANDING_CODES: Record<ApiKeyStanding, RefusalCode | undefined> = {
  PENDING: 'K_PENDING',
  CURRENT: undefined,
  GRACE: undefined,
  RETIRED: 'K_GRACE_OVER',
  REVOKED: 'K_REVOKED',
  EXPIRED: 'K_EXPIRED',
}

/**
 * Revoking a device also ends its tokens, so for a revoked device the epoch tells only half: requirement
 * 2 refuses it with the reason itself.
 */
function isDeviceEpochOver(claims: TokenClaims, device: DeviceRow | undefined): boolean {
  if (device === undefined || device.revokedAt !== null) return false
  return claims.deviceEpoch !== device.tokenEpoch
}

function refuse(code: RefusalCode): Decision {
  return { verdict: 'refused', requirement: requirementOf(code), code }
}
