import { holdersOf } from '../members.js'
import { defineRule, quoteGrantee } from '../types.js'

/** The configuration of the server in other hands. */
export const parameterGrant = defineRule({
  id: 'parameter-grant',
  severity: 'critical',
  summary: 'a role may change a setting that only superusers change',
  help: 'ALTER SYSTEM on a setting that holds a command or a library is a shell on the machine; SET on one of the log silences it. From PostgreSQL 15 on.',
  references: ['NIST AC-6', 'NIST CM-5', 'ISO 27001 A.8.2'],
  needs: ['memberships', 'parameterGrants'],
  find: ({ memberships, parameterGrants }) =>
    parameterGrants.flatMap(({ name, grantee, privilege, isGrantable }) => {
      const whom = quoteGrantee(grantee)
      const right = `${privilege.toLowerCase()} on parameter ${name}`
      return holdersOf(memberships, privilege, grantee).map(({ role, evidence }) => ({
        subject: `parameter ${name}`,
        role,
        evidence,
        fix: `revoke ${right} from ${whom}`,
        undo: `grant ${right} to ${whom}${isGrantable ? ' with grant option' : ''}`,
      }))
    }),
})
