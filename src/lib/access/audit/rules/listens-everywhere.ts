import { foundSetting } from '../setting-found.js'
import { defineRule } from '../types.js'

/** A server that can be reached by every way into the machine. */
export const listensEverywhere = defineRule({
  id: 'listens-everywhere',
  severity: 'high',
  summary: 'the server listens on every address of the machine',
  help: 'Also on those that the machine will be given tomorrow. Name the addresses in the network of the databases.',
  references: ['NIST SC-7', 'NIST CM-7', 'ISO 27001 A.8.20'],
  needs: ['settings'],
  find: ({ settings }) => {
    const value = settings.get('listen_addresses') ?? ''
    const wide = value
      .split(',')
      .map((word) => word.trim())
      .filter((word) => ['*', '0.0.0.0', '::'].includes(word))
    if (wide.length === 0) return []
    const finding = {
      evidence: `listen_addresses is ${value}`,
      better: "'localhost'",
      needsRestart: true,
    }
    return [foundSetting('listen_addresses', value, finding)]
  },
})
