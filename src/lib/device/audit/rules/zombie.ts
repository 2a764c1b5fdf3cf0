import { changeKey, refusedEvidence, tellRefused } from '../refused.js'
import { selectZombies } from '../refusal-store.js'
import { defineRule } from '../types.js'

/** Refused by requirement 2 or 3: the device was revoked, or taken away from its installation. */
export const zombie = defineRule({
  kind: 'zombie',
  severity: 'error',
  summary: 'was removed or revoked and goes on sending',
  help:
    'The device is still on, with an API key and a secret that were good once. Switch it off, or find out who ' +
    'has it: a removed one can be revoked, and the key that it shows be rotated.',
  filters: ['installation', 'batch'],
  select: selectZombies,
  found: (row) => ({
    serial: row.serial,
    installation: row.installation,
    evidence: {
      ...refusedEvidence(row),
      state: row.state,
      endedAt: row.endedAt.toISOString(),
      stoodAt: row.stoodAt,
    },
    next:
      row.state === 'removed'
        ? `cleverctl device revoke ${row.serial} --reason 'removed, still sending'`
        : changeKey(row.installation),
  }),
  tell: (evidence, time) =>
    `${evidence.state} ${time(evidence.endedAt)}, ${tellRefused(evidence, time)}`,
})
