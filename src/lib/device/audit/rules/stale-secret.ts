import { selectOldSecrets } from '../registry-store.js'
import { defineRule } from '../types.js'

/** A device with a secret that nobody has changed for long. */
export const staleSecret = defineRule({
  kind: 'stale-secret',
  severity: 'warning',
  summary: 'has had its secret for too long',
  help:
    'The secret counts from the registration of the device, or from its last rotation. It is changed at the ' +
    'device, so plan it with the next visit.',
  filters: ['installation', 'batch'],
  select: selectOldSecrets,
  found: ({ serial, installation, madeAt }) => ({
    serial,
    installation,
    evidence: { secretMadeAt: madeAt.toISOString() },
    next: `cleverctl device rotate-secret ${serial} --output secret.txt`,
  }),
  tell: ({ secretMadeAt }, time) => `the secret was made ${time(secretMadeAt)}`,
})
