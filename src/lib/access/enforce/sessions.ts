import { applyAcceptances } from '../acceptance/apply.js'
import { askRules } from '../audit/judge.js'
import { sessionNobody } from '../audit/rules/session-nobody.js'
import type { RoleRow } from '../audit/server-store.js'
import { quoteLiteral, type NotChecked } from '../audit/types.js'
import type { Difference, PlanQuestion, SeenServer } from './types.js'

/** Sessions at a server whose role is closed already: closing a login does not end them, and a run may be cut off. */
export function leftSessions(
  { host, parts }: SeenServer,
  roles: ReadonlyMap<string, RoleRow>,
  { list, acceptances }: Pick<PlanQuestion, 'list' | 'acceptances'>,
): { sessions: Difference[]; notChecked: NotChecked[] } {
  const reading = { ...parts, inside: [], probes: undefined }
  const judged = askRules([sessionNobody], host, reading, list)
  const { findings } = applyAcceptances(judged.findings, acceptances, list.now)
  const sessions = findings.flatMap(
    ({ rule, subject, role, who, evidence, undo }): Difference[] => {
      if (role === null || list.isValid(role) || roles.get(role)?.canLogin === true) return []
      const fix = `select pg_terminate_backend(pid) from pg_stat_activity where usename = ${quoteLiteral(role)}`
      return [
        {
          host,
          kind: 'session',
          rule,
          subject,
          role,
          who,
          from: evidence,
          to: 'no session',
          fix,
          undo,
        },
      ]
    },
  )
  return { sessions, notChecked: judged.notChecked }
}
