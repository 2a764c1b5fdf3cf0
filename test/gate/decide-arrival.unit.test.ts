import assert from 'node:assert/strict'
import {
  decideArrival,
  decideTokenRequest,
  type DeviceRow,
  type KeyFact,
  type KeyRow,
  type PlacementRow,
  type TokenClaims,
  type TokenFact,
} from '../../src/lib/gate/decide-arrival.js'
import type { TokenFault } from '../../src/lib/token/types.js'

const now = new Date('2026-11-23T10:00:00Z')
const past = new Date('2026-11-23T09:59:59.999Z')
const future = new Date('2026-11-23T10:00:00.001Z')

/** One value of one column of the table: a name, the fact, and the code that it alone leads to. */
interface Case<Fact> {
  name: string
  fact: Fact
  /** What a person would expect when everything else is right; null = nothing against it. */
  code: string | null
}

const home = { id: '7', code: 'solar-0042', tokenEpoch: 3, retiredAt: null }

function key(change: Partial<KeyRow>): KeyFact {
  const row: KeyRow = {
    id: '1',
    keyId: 'k7Qd2XbA',
    version: 1,
    state: 'CURRENT',
    expiresAt: null,
    graceUntil: null,
    installation: home,
    ...change,
  }
  return { found: 'row', row }
}

const keys: Case<KeyFact>[] = [
  { name: 'no key', fact: { found: 'missing' }, code: 'K_MISSING' },
  { name: 'unknown key', fact: { found: 'unknown' }, code: 'K_UNKNOWN' },
  { name: 'pending', fact: key({ state: 'PENDING' }), code: 'K_PENDING' },
  { name: 'current', fact: key({}), code: null },
  { name: 'current, ends in 1 ms', fact: key({ expiresAt: future }), code: null },
  { name: 'current, ends now', fact: key({ expiresAt: now }), code: 'K_EXPIRED' },
  { name: 'current, ended', fact: key({ expiresAt: past }), code: 'K_EXPIRED' },
  { name: 'in grace', fact: key({ state: 'GRACE', graceUntil: future }), code: null },
  { name: 'grace ends now', fact: key({ state: 'GRACE', graceUntil: now }), code: 'K_GRACE_OVER' },
  { name: 'grace over', fact: key({ state: 'GRACE', graceUntil: past }), code: 'K_GRACE_OVER' },
  {
    name: 'in grace, ended by itself',
    fact: key({ state: 'GRACE', graceUntil: future, expiresAt: past }),
    code: 'K_EXPIRED',
  },
  { name: 'retired', fact: key({ state: 'RETIRED' }), code: 'K_GRACE_OVER' },
  { name: 'revoked', fact: key({ state: 'REVOKED' }), code: 'K_REVOKED' },
  {
    name: 'revoked, ended',
    fact: key({ state: 'REVOKED', expiresAt: past }),
    code: 'K_REVOKED',
  },
  {
    name: 'current at a retired installation',
    fact: key({ installation: { ...home, retiredAt: past } }),
    code: 'K_SITE_RETIRED',
  },
]

const CLAIMS: TokenClaims = {
  serial: 'CDX-000123',
  installation: 'solar-0042',
  installationEpoch: 3,
  deviceEpoch: 5,
}

function claims(change: Partial<TokenClaims> = {}): TokenFact {
  return { ok: true, claims: { ...CLAIMS, ...change } }
}

const faults: Record<TokenFault, string> = {
  T_MISSING: 'T_MISSING',
  T_FORMAT: 'T_SIG',
  T_ALG: 'T_SIG',
  T_TYP: 'T_SIG',
  T_CRIT: 'T_SIG',
  T_HEADER: 'T_SIG',
  T_KID: 'T_SIG',
  T_SIG: 'T_SIG',
  T_ISS: 'T_SIG',
  T_AUD: 'T_AUD',
  T_SUB: 'T_SIG',
  T_JTI: 'T_SIG',
  T_CLIENT: 'T_SIG',
  T_NO_EXP: 'T_SIG',
  T_TTL: 'T_SIG',
  T_SKEW: 'T_SKEW',
  T_EXPIRED: 'T_EXPIRED',
  T_EPOCH: 'T_EPOCH',
}

const tokens: Case<TokenFact>[] = [
  { name: 'right token', fact: claims(), code: null },
  {
    name: 'token of another installation',
    fact: claims({ installation: 'solar-0043' }),
    code: 'X_SITE_MISMATCH',
  },
  {
    name: 'token of another installation, overtaken',
    fact: claims({ installation: 'solar-0043', installationEpoch: 0 }),
    code: 'X_SITE_MISMATCH',
  },
  {
    name: 'overtaken by its installation',
    fact: claims({ installationEpoch: 2 }),
    code: 'T_EPOCH',
  },
  { name: 'ahead of its installation', fact: claims({ installationEpoch: 4 }), code: 'T_EPOCH' },
  ...Object.entries(faults).map(([fault, code]) => ({
    name: fault,
    fact: { ok: false as const, code: fault as TokenFault },
    code,
  })),
]

type Device = Omit<DeviceRow, 'placement'>
const logger: Device = { id: '9', serial: 'CDX-000123', tokenEpoch: 5, revokedAt: null }

const devices: Case<Device | undefined>[] = [
  { name: 'manufactured', fact: logger, code: null },
  { name: 'never manufactured', fact: undefined, code: 'D_NOT_MANUFACTURED' },
  { name: 'revoked', fact: { ...logger, revokedAt: past }, code: 'D_REVOKED' },
  {
    name: 'revoked with its tokens',
    fact: { ...logger, revokedAt: past, tokenEpoch: 6 },
    code: 'D_REVOKED',
  },
  { name: 'overtaken by its device', fact: { ...logger, tokenEpoch: 6 }, code: 'T_EPOCH' },
  { name: 'ahead of its device', fact: { ...logger, tokenEpoch: 4 }, code: 'T_EPOCH' },
]

const here = { installationId: '7', installationCode: 'solar-0042', since: past, until: null }
const elsewhere = { ...here, installationId: '8', installationCode: 'solar-0043' }

const placements: Case<PlacementRow | null>[] = [
  { name: 'installed here', fact: here, code: null },
  { name: 'never installed', fact: null, code: 'I_NONE' },
  { name: 'installed elsewhere', fact: elsewhere, code: 'I_OTHER_SITE' },
  { name: 'taken down here', fact: { ...here, until: past }, code: 'I_CLOSED' },
  { name: 'taken down elsewhere', fact: { ...elsewhere, until: past }, code: 'I_CLOSED' },
]

/** The order in which the columns speak, written down apart from the code under test. */
const ORDER = ['K_', 'T_M', 'T_S', 'T_A', 'T_EX', 'X_', 'T_EP', 'D_', 'I_']

function expected(
  codes: readonly (string | null)[],
  order: readonly string[] = ORDER,
): string | null {
  for (const prefix of order) {
    const code = codes.find((candidate) => candidate?.startsWith(prefix))
    if (code) return code
  }
  return null
}

function requirement(code: string): number {
  return { K: 1, S: 1, T: 1, X: 1, D: 2, I: 3 }[code.charAt(0)] ?? 0
}

describe('the decision on an arrival', () => {
  for (const keyCase of keys) {
    for (const tokenCase of tokens) {
      it(`gives each device and placement its verdict with ${keyCase.name} and ${tokenCase.name}`, () => {
        for (const deviceCase of devices) {
          for (const placementCase of placements) {
            const device = deviceCase.fact && { ...deviceCase.fact, placement: placementCase.fact }
            const decision = decideArrival({
              now,
              key: keyCase.fact,
              token: tokenCase.fact,
              device,
            })
            const code = expected([
              keyCase.code,
              tokenCase.code,
              deviceCase.code,
              device ? placementCase.code : null,
            ])
            const row = `${deviceCase.name}, ${placementCase.name}`
            if (code === null) {
              assert.equal(decision.verdict, 'accepted', row)
              assert.deepEqual(decision, {
                verdict: 'accepted',
                key: keyCase.fact.found === 'row' ? keyCase.fact.row : null,
                device,
              })
            } else {
              assert.deepEqual(
                decision,
                { verdict: 'refused', requirement: requirement(code), code },
                row,
              )
            }
          }
        }
      })
    }
  }

  it('accepts nothing but the rows where every column has nothing against it', () => {
    let accepted = 0
    let rows = 0
    for (const keyCase of keys)
      for (const tokenCase of tokens)
        for (const deviceCase of devices)
          for (const placementCase of placements) {
            rows += 1
            const device = deviceCase.fact && { ...deviceCase.fact, placement: placementCase.fact }
            const facts = { now, key: keyCase.fact, token: tokenCase.fact, device }
            if (decideArrival(facts).verdict === 'accepted') accepted += 1
          }
    assert.equal(rows, keys.length * tokens.length * devices.length * placements.length)
    // Three keys that open, one token, one device, one placement.
    assert.equal(accepted, 3)
  })
})

describe('the decision on a request for a token', () => {
  const order = ['K_', 'D_NOT', 'S_', 'D_REV', 'I_']
  for (const keyCase of keys) {
    for (const secretMatches of [true, false]) {
      it(`gives each device its verdict with ${keyCase.name} and a ${secretMatches ? 'right' : 'wrong'} secret`, () => {
        for (const deviceCase of devices) {
          for (const placementCase of placements) {
            const device = deviceCase.fact && { ...deviceCase.fact, placement: placementCase.fact }
            const facts = { now, key: keyCase.fact, device, secretMatches }
            const decision = decideTokenRequest(facts)
            const code = expected(
              [
                keyCase.code,
                deviceCase.code?.startsWith('D_') ? deviceCase.code : null,
                device && !secretMatches ? 'S_WRONG' : null,
                device ? placementCase.code : null,
              ],
              order,
            )
            assert.deepEqual(
              decision.verdict === 'accepted' ? null : [decision.code, decision.requirement],
              code === null ? null : [code, requirement(code)],
              `${deviceCase.name}, ${placementCase.name}`,
            )
          }
        }
      })
    }
  }
})
