import { foundLibrary, foundSetting, loadedLibraries } from '../setting-found.js'
import { defineRule } from '../types.js'

/** Guessing costs nothing. */
export const noDelay = defineRule({
  id: 'no-delay',
  severity: 'medium',
  summary: 'a wrong password is answered at once, as often as somebody tries',
  help: 'auth_delay comes with PostgreSQL and makes each wrong password wait; credcheck bans after some.',
  references: ['NIST AC-7', 'ISO 27001 A.8.5'],
  needs: ['settings'],
  find: ({ settings }) => {
    const loaded = loadedLibraries(settings)
    if (loaded.includes('credcheck')) return []
    if (!loaded.includes('auth_delay')) {
      const evidence = 'neither auth_delay nor credcheck is loaded'
      const then = 'alter system set auth_delay.milliseconds = 500'
      return [foundLibrary(settings, 'auth_delay', { evidence, then })]
    }
    if (Number(settings.get('auth_delay.milliseconds')) > 0) return []
    const finding = { evidence: 'auth_delay.milliseconds is 0', better: '500' }
    return [foundSetting('auth_delay.milliseconds', '0', finding)]
  },
})
