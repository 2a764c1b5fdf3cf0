import { foundLine, isOverNetwork, letsIn } from '../hba-found.js'
import { holds, parseNetwork } from '../../../network.js'
import { defineRule } from '../types.js'

/** A rule that lets in from where nobody on the list may come. */
export const wideAddress = defineRule({
  id: 'wide-address',
  severity: 'critical',
  summary: 'a rule lets in from addresses that no network on the list holds',
  help: 'The words all and samenet, a host name, and every network that is not within one of those on the list.',
  references: ['NIST SC-7', 'ISO 27001 A.8.20', 'CIS PostgreSQL 5.9'],
  needs: ['hba'],
  find: ({ hba }, list) => {
    const known = list.accounts
      .filter(({ removedAt }) => !removedAt)
      .flatMap(({ networks }) => networks.flatMap((text) => parseNetwork(text) ?? []))
    return hba.rules
      .filter((rule) => isOverNetwork(rule) && letsIn(rule))
      .filter(({ address }) => {
        if (address?.kind === 'samehost') return false
        if (address?.kind !== 'masked') return true
        const prefix = address.mask.toString(2).replaceAll('0', '').length
        return !known.some((network) => holds(network, { ...address.network, prefix }))
      })
      .map((rule) =>
        foundLine(rule, {
          evidence: 'no network on the list holds these addresses',
          better: 'name the networks of the list',
        }),
      )
  },
})
