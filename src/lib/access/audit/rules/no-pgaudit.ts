import { foundSetting, loadedLibraries } from '../setting-found.js'
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
    const loaded = loadedLibraries(settings)
    const value = settings.get('pgaudit.log') ?? ''
    const classes = value.split(',').map((word) => word.trim().toLowerCase())
    if (!loaded.includes('pgaudit'))
      return [
        foundSetting('shared_preload_libraries', settings.get('shared_preload_libraries') ?? '', {
          evidence: 'pgaudit is not loaded',
          better: `'${[...loaded, 'pgaudit'].filter(Boolean).join(',')}' and pgaudit.log = 'role,ddl'`,
          needsRestart: true,
        }),
      ]
    if (classes.includes('all') || classes.includes('role')) return []
    const finding = { evidence: `pgaudit.log is ${value}`, better: "'role,ddl'" }
    return [foundSetting('pgaudit.log', value, finding)]
  },
})
