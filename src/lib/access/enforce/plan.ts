import { applyAcceptances } from '../acceptance/apply.js'
import { askRules, type JudgedFinding } from '../audit/judge.js'
import { adminOption } from '../audit/rules/admin-option.js'
import { bypassRowSecurity } from '../audit/rules/bypass-row-security.js'
import { createRole } from '../audit/rules/create-role.js'
import { noConnectionLimit } from '../audit/rules/no-connection-limit.js'
import { passwordWithoutEnd } from '../audit/rules/password-without-end.js'
import { powerfulGroup } from '../audit/rules/powerful-group.js'
import { replicationRole } from '../audit/rules/replication-role.js'
import { roleNobody } from '../audit/rules/role-nobody.js'
import { superuser } from '../audit/rules/superuser.js'
import type { Membership, RoleRow } from '../audit/server-store.js'
import { whoIsLockedOut, type GuardedServer } from './lockout.js'
import { missingRoles } from './missing.js'
import { whyLeft } from './protect.js'
import { leftSessions } from './sessions.js'
import { inOrder, type Difference, type Plan, type PlanQuestion, type SeenServer } from './types.js'

/** What an audit holds against roles and enforcing mends; no rule is judged otherwise than by an audit. */
const ROLE_RULES = [
  roleNobody,
  superuser,
  createRole,
  bypassRowSecurity,
  replicationRole,
  powerfulGroup,
  adminOption,
  passwordWithoutEnd,
  noConnectionLimit,
]

/**
 * Plans how roles and sessions come to be as the list says. Changes nothing and reads nothing.
 * @param primary where roles are changed
 * @param servers all, whose sessions are looked at
 * @param guarded those whose connections must not be cut off by other memberships
 */
export function planRoles(
  primary: SeenServer,
  servers: readonly SeenServer[],
  guarded: readonly GuardedServer[],
  asked: PlanQuestion,
): Plan {
  const plan: Plan = { changes: [], left: [], notChecked: [] }
  const { roles, memberships } = primary.parts
  const reading = { ...primary.parts, inside: [], probes: undefined }
  const judged = askRules(ROLE_RULES, primary.host, reading, asked.list)
  plan.notChecked.push(...judged.notChecked)
  if (roles instanceof Error || memberships instanceof Error) return plan
  const byName = new Map(roles.map((role) => [role.name, role]))
  const { findings } = applyAcceptances(judged.findings, asked.acceptances, asked.list.now)
  const outsiders = new Set(
    findings.flatMap(({ rule, role }) => (rule === roleNobody.id ? role : [])),
  )
  const sorter = new Sorter(plan, byName, { memberships, guarded, asked })
  for (const finding of findings) {
    // Of a login that is to be closed, neither matters.
    const isMoot = [passwordWithoutEnd.id, noConnectionLimit.id].includes(finding.rule)
    if (!isMoot || !outsiders.has(finding.role)) sorter.add(finding)
  }
  for (const each of missingRoles(primary.host, byName, asked.list)) sorter.put(each)
  for (const server of servers) {
    const found = leftSessions(server, byName, asked)
    plan.notChecked.push(...found.notChecked)
    for (const each of found.sessions) sorter.put(each)
  }
  return { ...plan, changes: inOrder(plan.changes) }
}

/** Tells what is changed from what is left. */
class Sorter {
  readonly #plan: Plan
  readonly #roles: ReadonlyMap<string, RoleRow>
  readonly #guarded: readonly GuardedServer[]
  readonly #asked: PlanQuestion
  #memberships: readonly Membership[]
  /** Rules and roles whose membership goes, so that those of their own members may stay. */
  readonly #losing = new Set<string>()

  constructor(
    plan: Plan,
    roles: ReadonlyMap<string, RoleRow>,
    given: {
      memberships: readonly Membership[]
      guarded: readonly GuardedServer[]
      asked: PlanQuestion
    },
  ) {
    this.#plan = plan
    this.#roles = roles
    this.#memberships = given.memberships
    this.#guarded = given.guarded
    this.#asked = given.asked
  }

  add({ rule, host, subject, role, who, evidence, fix, undo, mending }: JudgedFinding): void {
    const about = { host, rule, subject, role, who, fix, undo }
    if (!mending) {
      const reason = 'the list does not say until when: give the entry a last day'
      this.#leave({ ...about, kind: 'validity', from: evidence, to: '-' }, reason)
      return
    }
    const { kind, from, to, group } = mending
    const isThroughOther = group !== undefined && this.#losing.has(`${rule} ${group}`)
    if (!isThroughOther) this.put({ ...about, kind, from, to }, group)
    const isGoing = this.#plan.changes.some((change) => change.fix === fix)
    if (group !== undefined && (isThroughOther || isGoing)) this.#losing.add(`${rule} ${role}`)
  }

  /** @param group of a membership that ends: in what */
  put(difference: Difference, group?: string): void {
    const { changes } = this.#plan
    const { role: name, fix, host } = difference
    if (changes.some((change) => change.fix === fix && change.host === host)) return
    const role = this.#roles.get(name ?? '')
    const reason = role && whyLeft(role, this.#asked)
    if (reason !== undefined) return this.#leave(difference, reason)
    if (group !== undefined) {
      const fewer = this.#memberships.filter((each) => each.member !== name || each.group !== group)
      const whom = whoIsLockedOut(this.#guarded, fewer)
      if (whom !== undefined) return this.#leave(difference, `it would lock out ${whom}`)
      this.#memberships = fewer
    }
    changes.push(difference)
  }

  #leave(difference: Difference, reason: string): void {
    this.#plan.left.push({ ...difference, reason })
  }
}
