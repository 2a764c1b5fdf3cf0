import { foundSetting } from '../setting-found.js'
import { defineRule } from '../types.js'

/** Every account of the machine may knock. */
export const openSocket = defineRule({
  id: 'open-socket',
  severity: 'medium',
  summary: 'every account of the machine may connect to the unix socket',
  help: 'unix_socket_permissions 0777 is the default. With 0770 and unix_socket_group a group is let in.',
  references: ['NIST AC-3', 'ISO 27001 A.8.3', 'CIS PostgreSQL 2.6'],
  needs: ['settings'],
  find: ({ settings }) => {
    const value = settings.get('unix_socket_permissions') ?? ''
    const isOpen = (Number.parseInt(value, 8) & 0o007) !== 0
    if (!isOpen || settings.get('unix_socket_directories') === '') return []
    const evidence = `unix_socket_permissions is ${value}`
    return [
      foundSetting('unix_socket_permissions', value, {
        evidence,
        better: "'0770'",
        needsRestart: true,
      }),
    ]
  },
})
