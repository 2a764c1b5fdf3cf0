import { foundLibrary, foundSetting, isAudited, loadedLibraries } from '../setting-found.js'
import { defineRule } from '../types.js'

/** Nobody can tell what a role was given, and by whom. */
export const noPgaudit = defineRule({
  id: 'no-pgaudit',
  severity: 'high',
  summary: 'pgaudit is not loaded, or does not log what is done to roles',
  help: 'log_statement shows the text that was sent; pgaudit what it came to, also inside of functions.',
  references: ['NIST AU-2', 'NIST AU-12', 'ISO 27001 A.8.15', 'CIS PostgreSQL 3.2'],
  needs: ['settings'],
  find: ({ settings }) => {
    if (!loadedLibraries(settings).includes('pgaudit')) {
      const then = "alter system set pgaudit.log = 'role,ddl'"
      return [foundLibrary(settings, 'pgaudit', { evidence: 'pgaudit is not loaded', then })]
    }
    if (isAudited(settings, 'role')) return []
    const value = settings.get('pgaudit.log') ?? ''
    const finding = { evidence: `pgaudit.log is ${value}`, better: "'role,ddl'" }
    return [foundSetting('pgaudit.log', value, finding)]
  },
})
