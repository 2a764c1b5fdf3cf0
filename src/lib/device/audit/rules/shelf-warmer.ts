import { selectShelved } from '../registry-store.js'
import { defineRule } from '../types.js'

/** A device with a good secret that lies about somewhere. */
export const shelfWarmer = defineRule({
  kind: 'shelf-warmer',
  severity: 'note',
  summary: 'was manufactured long ago and never installed',
  help: 'Nobody misses a device that stands nowhere, and its secret is good. Find it; revoke what is lost or scrapped.',
  filters: ['batch'],
  select: selectShelved,
  found: ({ serial, model, batch, manufacturedAt }) => ({
    serial,
    installation: null,
    evidence: { model, batch, manufacturedAt: manufacturedAt.toISOString() },
    next: `find it, or: cleverctl device revoke ${serial} --reason lost`,
  }),
  tell: ({ batch, manufacturedAt }, time) => `batch ${batch}, made ${time(manufacturedAt)}`,
})
