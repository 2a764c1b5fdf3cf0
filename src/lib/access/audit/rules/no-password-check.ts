import { foundLibrary, loadedLibraries } from '../setting-found.js'
import { defineRule } from '../types.js'

/** Any password is good enough. */
export const noPasswordCheck = defineRule({
  id: 'no-password-check',
  severity: 'medium',
  summary: 'no library looks at new passwords',
  help: 'passwordcheck comes with PostgreSQL, credcheck does more. Neither sees into a password that comes as a SCRAM verifier.',
  references: ['NIST IA-5', 'ISO 27001 A.5.17', 'CIS PostgreSQL 5.6'],
  needs: ['settings'],
  find: ({ settings }) => {
    const loaded = loadedLibraries(settings)
    if (loaded.includes('passwordcheck') || loaded.includes('credcheck')) return []
    const evidence = 'neither passwordcheck nor credcheck is loaded'
    return [foundLibrary(settings, 'passwordcheck', { evidence })]
  },
})
