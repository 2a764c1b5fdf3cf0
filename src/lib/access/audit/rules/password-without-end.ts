import { foundAttribute } from '../role-found.js'
import { defineRule } from '../types.js'

/** A password that is good for ever. */
export const passwordWithoutEnd = defineRule({
  id: 'password-without-end',
  severity: 'medium',
  summary: 'the password of a person never expires, or outlives the last day on the list',
  help: 'VALID UNTIL of a role ends its password, and nothing else: not certificates, not sessions.',
  references: ['NIST IA-5', 'ISO 27001 A.5.17'],
  needs: ['roles'],
  find: ({ roles }, list) =>
    roles.flatMap(({ name, canLogin, validUntil }) => {
      const holder = list.holderOf(name)
      if (!canLogin || holder?.kind !== 'staff') return []
      const end = holder.until === null ? undefined : nextDay(holder.until)
      const isGood = validUntil !== null && (end === undefined || validUntil <= end)
      if (isGood) return []
      const found = foundAttribute(name, {
        evidence: `the password is valid ${validUntil === null ? 'for ever' : `until ${validUntil.toISOString()}`}`,
        from: `valid until '${validUntil?.toISOString() ?? 'infinity'}'`,
        to: `valid until '${end?.toISOString() ?? 'a day'}'`,
        kind: 'validity',
      })
      if (end !== undefined) return [found]
      // Which day it is to be, the list does not say.
      const { mending, ...told } = found
      return [told]
    }),
})

function nextDay(day: string): Date {
  return new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000)
}
