import { foundSetting, loadedLibraries } from '../setting-found.js'
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
    const isDelayed =
      loaded.includes('auth_delay') && Number(settings.get('auth_delay.milliseconds')) > 0
    if (isDelayed || loaded.includes('credcheck')) return []
    return [
      foundSetting('shared_preload_libraries', settings.get('shared_preload_libraries') ?? '', {
        evidence: loaded.includes('auth_delay')
          ? 'auth_delay.milliseconds is 0'
          : 'neither auth_delay nor credcheck is loaded',
        better: `'${[...new Set([...loaded, 'auth_delay'])].filter(Boolean).join(',')}' and auth_delay.milliseconds = 500`,
        needsRestart: true,
      }),
    ]
  },
})
