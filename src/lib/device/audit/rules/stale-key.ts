import { selectOldKeys } from '../registry-store.js'
import { defineRule } from '../types.js'

/** An API key that nobody has changed for long. */
export const staleKey = defineRule({
  kind: 'stale-key',
  severity: 'warning',
  summary: 'an API key that has been in use for too long',
  help: 'The longer a key is in use, the more have seen it. A rotation leaves no logger behind.',
  filters: ['installation'],
  select: selectOldKeys,
  found: ({ installation, keyId, version, createdAt, lastUsedAt }) => ({
    serial: null,
    installation,
    evidence: {
      keyId,
      version,
      createdAt: createdAt.toISOString(),
      lastUsedAt: lastUsedAt?.toISOString() ?? null,
    },
    next: `cleverctl api-key rotate ${installation}`,
  }),
  tell: ({ keyId, createdAt }, time) => `key ${keyId} was made ${time(createdAt)}`,
})
