import assert from 'node:assert/strict'
import {
  apiKeyStanding,
  type ApiKeyStanding,
  type StoredState,
} from '../../src/lib/api-key/standing.js'

const NOW = new Date('2026-06-01T12:00:00.000Z')
const BEFORE = new Date('2026-06-01T11:59:59.999Z')
const AFTER = new Date('2026-06-01T12:00:00.001Z')

type Case = [StoredState, expiresAt: Date | null, graceUntil: Date | null, ApiKeyStanding]

const cases: Case[] = [
  ['PENDING', null, null, 'PENDING'],
  ['PENDING', NOW, null, 'EXPIRED'],
  ['CURRENT', null, null, 'CURRENT'],
  ['CURRENT', AFTER, null, 'CURRENT'],
  ['CURRENT', NOW, null, 'EXPIRED'],
  ['CURRENT', BEFORE, null, 'EXPIRED'],
  ['GRACE', null, AFTER, 'GRACE'],
  ['GRACE', null, NOW, 'RETIRED'],
  ['GRACE', null, BEFORE, 'RETIRED'],
  ['GRACE', null, null, 'RETIRED'],
  ['GRACE', BEFORE, AFTER, 'EXPIRED'],
  ['GRACE', NOW, NOW, 'RETIRED'],
  ['RETIRED', null, null, 'RETIRED'],
  ['RETIRED', BEFORE, BEFORE, 'RETIRED'],
  ['REVOKED', null, null, 'REVOKED'],
  ['REVOKED', AFTER, AFTER, 'REVOKED'],
  ['REVOKED', BEFORE, BEFORE, 'REVOKED'],
]

describe('the standing of an API key', () => {
  for (const [state, expiresAt, graceUntil, standing] of cases) {
    const moments = `expiry ${when(expiresAt)}, grace ${when(graceUntil)}`
    it(`${state} with ${moments} is ${standing}`, () => {
      assert.equal(apiKeyStanding({ state, expiresAt, graceUntil }, NOW), standing)
    })
  }
})

function when(at: Date | null): string {
  if (at === null) return 'never'
  return at < NOW ? 'before' : at > NOW ? 'after' : 'now'
}
