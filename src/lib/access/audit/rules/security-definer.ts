import { defineRule } from '../types.js'

/** A function that lends its owner's rights. */
export const securityDefiner = defineRule({
  id: 'security-definer',
  severity: 'high',
  summary:
    'a function with the rights of its owner takes its search path from the caller, or is open to all',
  help: 'Without a search_path of its own the caller decides which table or function a name in it means.',
  references: ['NIST AC-6', 'ISO 27001 A.8.2', 'CIS PostgreSQL 4.5'],
  needs: ['database', 'definers'],
  find: ({ database, definers }) =>
    definers.flatMap(({ name, isPinned, isPublic }) => {
      const subject = `function ${name} in ${database}`
      const unpinned = {
        subject,
        role: null,
        evidence: 'is SECURITY DEFINER and brings no search_path along',
        fix: `in ${database}: alter function ${name} set search_path = pg_catalog, pg_temp`,
        undo: `in ${database}: alter function ${name} reset search_path`,
      }
      const open = {
        subject,
        role: null,
        evidence: 'is SECURITY DEFINER, and PUBLIC may call it',
        fix: `in ${database}: revoke execute on function ${name} from public`,
        undo: `in ${database}: grant execute on function ${name} to public`,
      }
      return [...(isPinned ? [] : [unpinned]), ...(isPublic ? [open] : [])]
    }),
})
