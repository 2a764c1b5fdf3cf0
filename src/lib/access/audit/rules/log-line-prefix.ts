import { foundSetting } from '../setting-found.js'
import { defineRule } from '../types.js'

/** What a line of a plain log needs, each as one of its codes. */
const NEEDED: readonly [what: string, codes: RegExp][] = [
  ['time', /%[tmn]/],
  ['session', /%[pc]/],
  ['role', /%u/],
  ['database', /%d/],
  ['address', /%[hr]/],
]

/** A line that belongs to nobody. */
export const logLinePrefix = defineRule({
  id: 'log-line-prefix',
  severity: 'medium',
  summary: 'lines of the plain log do not tell when, in which session, who, where and whence',
  help: 'Codes of log_line_prefix: %m, %c or %p, %u, %d, %r. CSV and JSON have them all.',
  references: ['NIST AU-3', 'ISO 27001 A.8.15', 'CIS PostgreSQL 3.1.24'],
  needs: ['settings'],
  find: ({ settings }) => {
    const value = settings.get('log_line_prefix') ?? ''
    const codes = value.replaceAll('%%', '').replaceAll(/%-?\d+/g, '%')
    const missing = NEEDED.filter(([, code]) => !code.test(codes)).map(([what]) => what)
    const isPlain = /\b(stderr|syslog|eventlog)\b/.test(settings.get('log_destination') ?? '')
    if (!isPlain || missing.length === 0) return []
    const evidence = `log_line_prefix lacks ${missing.join(', ')}`
    return [
      foundSetting('log_line_prefix', value, { evidence, better: "'%m [%p] %c %u@%d %r %a '" }),
    ]
  },
})
