import { selectMutes } from '../sighting-store.js'
import { defineRule } from '../types.js'

/** An installed device that gates do not hear. */
export const mute = defineRule({
  kind: 'mute',
  severity: 'warning',
  summary: 'is installed and says nothing',
  help:
    'No gate has let the device in for long, or ever since it was installed. Its network or its power is gone, ' +
    'or it is refused: cleverctl gate refusals tells.',
  filters: ['installation', 'batch'],
  select: selectMutes,
  found: ({ serial, installation, installedAt, lastSeenAt }) => ({
    serial,
    installation,
    evidence: {
      lastSeenAt: lastSeenAt?.toISOString() ?? null,
      installedAt: installedAt.toISOString(),
    },
    next: `cleverctl device show ${serial}`,
  }),
  tell: ({ lastSeenAt, installedAt }, time) =>
    lastSeenAt === null
      ? `never seen, installed ${time(installedAt)}`
      : `last seen ${time(lastSeenAt)}`,
})
