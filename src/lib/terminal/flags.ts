import { Flags } from '@oclif/core'
import { parseDuration } from '../duration.js'
import { parseMonths } from '../months.js'
import { parseMoment } from '../moment.js'
import { parsePercent } from '../percent.js'
import type { Period } from '../retention/calendar.js'
import { HOST_KEY_TYPES } from '../ssh/types.js'

/** A flag such as `--ttl 90s`, `--grace 24h`, `--since 14d`; gives milliseconds. */
export const durationFlag = Flags.custom<number>({
  parse: async (text) => parseDuration(text),
  helpValue: '90s|24h|14d',
})

/** A flag such as `--time 2026-11-25T12:00:00Z`; gives the moment. */
export const timeFlag = Flags.custom<Date>({
  parse: async (text) => parseMoment(text),
  helpValue: '2026-11-25T12:00:00Z',
})

/** A flag such as `--keep 24mo`; gives calendar months. */
export const monthsFlag = Flags.custom<number>({
  parse: async (text) => parseMonths(text),
  helpValue: '24mo|2y',
})

/** A flag such as `--require-adoption 100%`; gives hundredths. */
export const percentFlag = Flags.custom<number>({
  parse: async (text) => parsePercent(text),
  helpValue: '1%..100%',
})

/** Where a new secret goes; read by `this.secretDestination(flags)`. */
export const secretOutputFlags = {
  output: Flags.string({
    description: 'file for the new secret, made readable by you alone; never overwritten',
    helpValue: 'FILE',
    exclusive: ['reveal'],
  }),
  reveal: Flags.boolean({
    description: 'write the new secret into the result on stdout, even when that is no terminal',
  }),
}

/** Where a new key is used; read by `this.secretDestination(flags).ofKey()`. */
export const deliverFlag = {
  deliver: Flags.string({
    description:
      'put the new key where it is used and nowhere else; all must confirm before it is in force: ' +
      'file:PATH, exec:COMMAND (key on its stdin), dotenv:PATH#NAME, github-env[:NAME], gitlab-dotenv:PATH#NAME',
    helpValue: 'SINK',
    multiple: true,
    multipleNonGreedy: true,
    exclusive: ['output', 'reveal'],
  }),
}

/** For commands that take a password; read by `this.secretInput(flags, …)`. */
export const passwordFileFlag = {
  'password-file': Flags.string({
    description:
      'file with the password, readable by you alone; - reads stdin (asked for in a terminal)',
    helpValue: 'FILE|-',
  }),
}

/** For commands that pin the key by which a host is known. */
export const hostKeyFlags = {
  'host-key': Flags.string({
    description: 'fingerprint of its host key (asked for in a terminal)',
    helpValue: 'SHA256:…',
  }),
  'host-key-type': Flags.option({ options: HOST_KEY_TYPES })({
    description: 'type of that key, where the host has several or is not contacted',
  }),
  offline: Flags.boolean({
    description: 'do not contact the host: neither host key nor credential are proven',
  }),
}

/** For commands that destroy something; read by `this.confirm(flags, question)`. */
export const yesFlag = {
  yes: Flags.boolean({ description: 'do it without asking' }),
}

/** For commands that change many things at once. */
export const dryRunFlag = {
  'dry-run': Flags.boolean({ description: 'show what would be done and change nothing' }),
}

/** For lists that are read page by page. */
export const pageFlags = {
  limit: Flags.integer({ description: 'rows at most', default: 100, min: 1, max: 10_000 }),
  cursor: Flags.string({
    description: 'where the next page begins: nextCursor of the page before',
    helpValue: 'CURSOR',
  }),
}

/** For commands about one database cluster. */
export const stanzaFlag = {
  stanza: Flags.string({
    description: 'which cluster, where hosts of several are recorded',
    helpValue: 'NAME',
  }),
}

/** For jobs that a service watches over. */
export const pingFlag = {
  'ping-url': Flags.string({
    description: 'tell this URL how it went (healthchecks.io and those that took over its URLs)',
    helpValue: 'URL',
  }),
}

/** For commands that let old copies go, with how many of each period are kept unless told otherwise. */
export function retentionFlags(usual: Record<Period, number>) {
  const keep = (period: Period, noun: string) =>
    Flags.integer({
      description: `${noun} of which the first whole one is kept`,
      default: usual[period],
      min: 0,
      max: 100_000,
    })
  return {
    'keep-within': durationFlag({
      description: 'keep whatever is younger [default: 24h]',
      default: 86_400_000,
      defaultHelp: async () => undefined,
      helpValue: '24h|7d',
    }),
    'keep-hourly': keep('hourly', 'hours'),
    'keep-daily': keep('daily', 'days'),
    'keep-weekly': keep('weekly', 'weeks, from Monday on,'),
    'keep-monthly': keep('monthly', 'months'),
    'keep-yearly': keep('yearly', 'years'),
    'time-zone': Flags.string({
      description: 'where a day begins',
      default: 'UTC',
      helpValue: 'ZONE',
    }),
  }
}
