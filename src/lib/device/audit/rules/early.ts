import { selectEarly } from '../sighting-store.js'
import { defineRule } from '../types.js'

/** A logger is switched on before the app says so. */
const TOLERANCE_MS = 3_600_000

/** Readings from before the device stood there: of another place, or of a clock that was wrong. */
export const early = defineRule({
  kind: 'early',
  severity: 'warning',
  summary: 'brought readings from before it stood there',
  help:
    'With the key of an installation came readings that are more than an hour older than the first placement ' +
    'of the device there. They were taken elsewhere, or by a clock that was wrong.',
  filters: ['installation', 'batch'],
  select: (database, scope) => selectEarly(database, scope, TOLERANCE_MS),
  found: ({ serial, installation, ...row }) => ({
    serial,
    installation,
    evidence: {
      oldestReadingAt: row.oldestReadingAt.toISOString(),
      installedAt: row.installedAt.toISOString(),
      lastSeenAt: row.lastSeenAt.toISOString(),
    },
    next: `cleverctl device show ${serial}`,
  }),
  tell: ({ oldestReadingAt, installedAt }, time) =>
    `oldest reading ${time(oldestReadingAt)}, installed ${time(installedAt)}`,
})
