import { endsOf, holds, parseNetwork } from '../../network.js'
import { applyAcceptances } from '../acceptance/apply.js'
import { askRules } from '../audit/judge.js'
import { attempts, rolesToTry } from '../audit/reach.js'
import { everybody } from '../audit/rules/everybody.js'
import { otherwiseThanGranted } from '../audit/rules/otherwise-than-granted.js'
import { plaintext } from '../audit/rules/plaintext.js'
import { replicationRule } from '../audit/rules/replication-rule.js'
import { ruleForNobody } from '../audit/rules/rule-for-nobody.js'
import { ruleOfEndedGrant } from '../audit/rules/rule-of-ended-grant.js'
import { rulesNotLoaded } from '../audit/rules/rules-not-loaded.js'
import { superuserOverNetwork } from '../audit/rules/superuser-over-network.js'
import { weakMethod } from '../audit/rules/weak-method.js'
import { wideAddress } from '../audit/rules/wide-address.js'
import { hbaFacts, type ServerParts } from '../audit/server.js'
import { formatRule, placeOf } from '../hba/format.js'
import { decidingRules, matchesRule } from '../hba/match.js'
import { representativeAddresses } from '../hba/representatives.js'
import type { Attempt, HbaFacts, HbaRule } from '../hba/types.js'
import { planGrantLines } from './grant-lines.js'
import { attemptOf, isSurelyLetIn, type GuardedServer } from './lockout.js'
import type { Plan, PlanQuestion, SeenServer } from './types.js'

/** What an audit holds against lines that let in too much. */
const LINE_RULES = [
  weakMethod,
  plaintext,
  wideAddress,
  everybody,
  replicationRule,
  superuserOverNetwork,
  ruleForNobody,
  ruleOfEndedGrant,
]

type Asked = Pick<PlanQuestion, 'list' | 'acceptances'>
type Parts = Pick<
  ServerParts,
  'hba' | 'server' | 'memberships' | 'roles' | 'databases' | 'sessions'
>

/**
 * Plans which lines of a server's pg_hba.conf go: those that an audit holds something against and by which nobody on
 * the list comes in. All others of them are left. After that, lines of grants come to be as their grants say. Changes
 * nothing and reads nothing.
 */
export function planLines(
  seen: SeenServer,
  guarded: GuardedServer | undefined,
  asked: Asked,
): Plan {
  const { host, parts } = seen
  const reading = { ...parts, inside: [], probes: undefined }
  const judged = askRules(
    [...LINE_RULES, otherwiseThanGranted, rulesNotLoaded],
    host,
    reading,
    asked.list,
  )
  const plan: Plan = { changes: [], left: [], notChecked: judged.notChecked }
  if (guarded === undefined || !isRead(parts)) return plan
  const { findings } = applyAcceptances(judged.findings, asked.acceptances, asked.list.now)
  const facts = hbaFacts(parts)
  let { rules } = parts.hba
  const about = { host, kind: 'pg_hba line' as const, role: null, who: null }
  const unread = findings.find(({ rule }) => rule === rulesNotLoaded.id)
  if (unread) {
    const { rule, subject, fix, undo } = unread
    const load = { ...about, rule, subject, from: 'not loaded', to: 'loaded', fix, undo }
    if (guarded.keepers.every((each) => isSurelyLetIn(rules, each, facts))) plan.changes.push(load)
    else plan.left.push({ ...load, reason: 'by its lines this login or replication is not let in' })
  }
  const whyNot = unread && 'pg_hba.conf was changed and is not in force'
  const needed = [...guarded.keepers, ...attemptsOfList(parts, asked)]
  // From the last to the first, so that the numbers of those above stay as they are.
  for (const rule of [...rules].reverse()) {
    const finding = findings.find(
      (each) => each.subject === placeOf(rule) && each.rule !== rulesNotLoaded.id,
    )
    if (!finding) continue
    const [place, from] = [placeOf(rule), formatRule(rule)]
    const line = { ...about, rule: finding.rule, subject: place, from, undo: finding.undo }
    const reason =
      whyNot ??
      (rule.file === '' || isOneFile(rules) ? undefined : 'it stands in one of several files') ??
      whyKept(parts, rules, rule, needed, facts)
    if (reason !== undefined) {
      plan.left.push({ ...line, from: finding.evidence, to: '-', fix: finding.fix, reason })
      continue
    }
    rules = rules.filter((each) => each !== rule)
    plan.changes.push({ ...line, to: 'no line', fix: `${place}: take out ${from}`, line: rule })
  }
  // Below them, so that their numbers stay until they are gone.
  const ofGrants = planGrantLines(findings, seen, { list: asked.list, whyNot })
  plan.changes.push(...ofGrants.changes)
  plan.left.push(...ofGrants.left)
  return plan
}

function isRead(parts: SeenServer['parts']): parts is SeenServer['parts'] & Parts {
  const { hba, server, memberships, roles, databases, sessions } = parts
  return ![hba, server, memberships, roles, databases, sessions].some(
    (part) => part instanceof Error,
  )
}

function isOneFile(rules: readonly HbaRule[]): boolean {
  return new Set(rules.map(({ file }) => file)).size === 1
}

/** Why a line stays: somebody on the list comes in by it, or others would come in more easily without it. */
function whyKept(
  parts: Parts,
  rules: readonly HbaRule[],
  rule: HbaRule,
  needed: readonly Attempt[],
  facts: HbaFacts,
): string | undefined {
  // One rule is asked first: there are many attempts, and most are not about it.
  const isDecidedBy = (attempt: Attempt) =>
    matchesRule(rule, attempt, facts) !== false &&
    decidingRules(rules, attempt, facts).includes(rule)
  const who = needed.find(isDecidedBy)
  if (who) return `${who.role} comes in by it`
  const others = rules.filter((each) => each !== rule)
  const tried = { ...parts, hba: { ...parts.hba, rules } }
  const copiers = new Set(parts.roles.filter((role) => role.canReplicate).map(({ name }) => name))
  for (const attempt of attempts(tried, rolesToTry(tried))) {
    if (!isDecidedBy(attempt)) continue
    // It may be away at this moment, and come back.
    if (attempt.database === undefined && copiers.has(attempt.role))
      return `a standby or a backup may come in by it as ${attempt.role}`
    const next = decidingRules(others, attempt, facts).find(
      (each) => each !== null && each.method !== 'reject' && each.method !== rule.method,
    )
    if (next) return `without it line ${next.line} would let in by ${next.method}`
  }
  return undefined
}

/** Every way in which somebody on the list may come, and those in which they are in now. */
function attemptsOfList(parts: Parts, { list }: Asked): Attempt[] {
  const points = representativeAddresses(parts.hba)
  const names = [undefined, ...parts.databases.map(({ name }) => name)]
  const possible = parts.roles
    .filter(({ name, canLogin }) => canLogin && list.isValid(name))
    .flatMap(({ name: role }) => {
      const networks = list.holderOf(role)?.networks ?? []
      const addresses = networks.flatMap((text) => {
        const network = parseNetwork(text)
        if (network === undefined) return []
        return [...endsOf(network), ...points.filter((point) => holds(network, point))]
      })
      return names.flatMap((database) => [
        { role, database, from: undefined, isEncrypted: false },
        ...addresses.flatMap((from) =>
          [true, false].map((isEncrypted) => ({ role, database, from, isEncrypted })),
        ),
      ])
    })
  const now = parts.sessions.filter(({ role }) => list.isValid(role)).map(attemptOf)
  return [...possible, ...now]
}
