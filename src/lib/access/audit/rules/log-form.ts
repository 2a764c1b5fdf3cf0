import { foundSetting } from '../setting-found.js'
import { defineRule } from '../types.js'

/** Locales in which PostgreSQL says what this tool knows; without one the server takes its own from its surroundings. */
const ENGLISH = /^($|C$|C\.|POSIX$|en($|[_.@])|English)/i

/** Text that a client chose can look like a line of the log, and words of another language like nothing. */
export const logForm = defineRule({
  id: 'log-form',
  severity: 'medium',
  summary: 'the log has neither CSV nor JSON form, or is in another language than English',
  help: 'In plain text a role or application can forge what looks like another line. By the words of its messages is known who was in: access sessions knows the English ones.',
  references: ['NIST AU-9', 'NIST AU-10', 'ISO 27001 A.8.15', 'CIS PostgreSQL 3.1.2'],
  needs: ['settings'],
  find: ({ settings }) => {
    const value = settings.get('log_destination') ?? ''
    const isGood = /\b(csvlog|jsonlog)\b/.test(value) && settings.get('logging_collector') === 'on'
    const form = foundSetting('log_destination', value, {
      evidence: `log_destination is ${value}, logging_collector is ${settings.get('logging_collector')}`,
      better: "'jsonlog' and logging_collector = on",
      needsRestart: true,
    })
    const locale = settings.get('lc_messages') ?? ''
    const evidence = `lc_messages is ${locale}`
    const language = foundSetting('lc_messages', locale, { evidence, better: "'C'" })
    return [...(isGood ? [] : [form]), ...(ENGLISH.test(locale) ? [] : [language])]
  },
})
