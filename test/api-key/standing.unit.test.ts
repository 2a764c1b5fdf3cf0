import assert from 'node:assert/strict'
import {
  apiKeyStanding,
  opensGate,
  type ApiKeyStanding,
  type StoredState,
} from '../../src/lib/api-key/standing.js'

const NOW = new Date('2026-06-01T12:00:00.000Z')
const BEFORE = new Date('2026-06-01T11:59:59.999Z')
const AFTER = new Date('2026-06-01T12:00:00.001Z')

type Case = [StoredState, expiresAt: Date | null, graceUntil: Date | null, ApiKeyStanding, boolean]

const cases: Case[] = [
  ['PENDING', null, null, 'PENDING', false],
  ['PENDING', NOW, null, 'EXPIRED', false],
  ['CURRENT', null, null, 'CURRENT', true],
  ['CURRENT', AFTER, null, 'CURRENT', true],
  ['CURRENT', NOW, null, 'EXPIRED', false],
  ['CURRENT', BEFORE, null, 'EXPIRED', false],
  ['GRACE', null, AFTER, 'GRACE', true],
  ['GRACE', null, NOW, 'RETIRED', false],
  ['GRACE', null, BEFORE, 'RETIRED', false],
  ['GRACE', null, null, 'RETIRED', false],
  ['GRACE', BEFORE, AFTER, 'EXPIRED', false],
  ['GRACE', NOW, NOW, 'RETIRED', false],
  ['RETIRED', null, null, 'RETIRED', false],
  ['RETIRED', BEFORE, BEFORE, 'RETIRED', false],
  ['REVOKED', null, null, 'REVOKED', false],
  ['REVOKED', AFTER, AFTER, 'REVOKED', false],
  ['REVOKED', BEFORE, BEFORE, 'REVOKED', false],
]

describe('the standing of an API key', () => {
  for (const [state, expiresAt, graceUntil, standing, opens] of cases) {
    const moments = `expiry ${when(expiresAt)}, grace ${when(graceUntil)}`
    it(`${state} with ${moments} is ${standing} and ${opens ? 'opens' : 'does not open'} the gate`, () => {
      const found = apiKeyStanding({ state, expiresAt, graceUntil }, NOW)
      assert.equal(found, standing)
      assert.equal(opensGate(found), opens)
    })
  }
})

function when(at: Date | null): string {
  if (at === null) return 'never'
  return at < NOW ? 'before' : at > NOW ? 'after' : 'now'
}
