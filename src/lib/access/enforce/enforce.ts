import { counted } from '../../counted.js'
import { hold } from '../../database/hold.js'
import { ConflictError, PartialError, UnreachableError } from '../../errors.js'
import { verdictOn } from '../../findings/verdict.js'
import type { Workspace } from '../../workspace.js'
import { primaryOf, withServers, type OpenServers } from '../grant/servers.js'
import { serverNames, type AskedServers } from '../named-servers.js'
import { applyChanges } from './apply.js'
import { lookAndPlan, type AskedRoles } from './look.js'
import { showChange, type Change, type Difference, type Enforcement, type Plan } from './types.js'

/** What is to be as the list says. */
export interface EnforceOrder extends AskedRoles {
  /** The primary and its standbys; none: the server of the cleverctl database. */
  servers: AskedServers
}

/** What an order brings along. */
export interface EnforceGiven {
  environment: NodeJS.ProcessEnv
  /** Whether a plan is carried out; asked only where there is something to change. */
  approve: (plan: Enforcement) => Promise<boolean>
}

/**
 * Brings roles and sessions of database servers to what the list says, as far as it was approved; without approval it
 * is a plan. The same order again finishes what was interrupted.
 * @throws UsageError, NotFoundError, and ConflictError where there is no primary or another run is at it, before
 *   anything is changed; RefusedError where there is something to change and the login is no superuser
 * @throws PartialError when a change failed or was taken back; FindingsError while something differs; IncompleteError
 *   when a server or a part of it could not be looked at; what is known is their result
 */
export async function enforceAccess(
  workspace: Workspace,
  order: EnforceOrder,
  { environment, approve }: EnforceGiven,
): Promise<Enforcement> {
  const names = await serverNames(workspace, order.servers)
  return withServers(workspace, names, environment, async (servers) => {
    const plan = await lookAndPlan(workspace, servers, order)
    const shown = resultOf(plan, servers)
    const isApproved = plan.changes.length > 0 && (await approve(shown))
    if (!isApproved) return verdict(shown, servers)
    primaryOf(servers)
    const taken = new ConflictError('enforce-runs', 'another run is changing servers', {
      suggestions: ['give the command again when it has ended'],
    })
    return hold(workspace.database, 'cleverctl.access-enforce', taken, async () => {
      const result = await carryOut(workspace, servers, order, plan.changes)
      return verdict(result, servers)
    })
  })
}

/** Carries out what was approved of what still differs, and looks again. */
async function carryOut(
  workspace: Workspace,
  servers: OpenServers,
  order: AskedRoles,
  approved: readonly Difference[],
): Promise<Enforcement> {
  const isApproved = (each: Difference) => approved.some((one) => isSame(one, each))
  const now = await lookAndPlan(workspace, servers, order)
  const wanted = now.changes.filter(isApproved)
  const site = { primary: primaryOf(servers), servers: servers.open }
  const made = await applyChanges(workspace, site, wanted)
  const after = await lookAndPlan(workspace, servers, order)
  const changes = made.map((change): Change => {
    const isStill = change.outcome === 'done' && after.changes.some((one) => isSame(one, change))
    return isStill ? { ...change, outcome: 'failed', reason: 'it is as it was before' } : change
  })
  const further = after.changes.filter((each) => !made.some((change) => isSame(change, each)))
  const result = resultOf({ ...after, changes: further }, servers)
  return { ...result, changes: [...changes, ...result.changes] }
}

/** A session that comes anew is another one by its evidence, and the same difference. */
function isSame(one: Difference, other: Difference): boolean {
  return one.host === other.host && one.fix === other.fix
}

function resultOf({ changes, left, notChecked }: Plan, { open }: OpenServers): Enforcement {
  return {
    changes: changes.map((each) => showChange(each, 'planned')),
    left,
    notChecked,
    hosts: open.map(({ host, standing }) => ({ host, isStandby: standing.isStandby })),
  }
}

function verdict(result: Enforcement, { failed }: OpenServers): Enforcement {
  const { changes, left, notChecked } = result
  const planned = changes.filter(({ outcome }) => outcome === 'planned').length
  const failures = changes.filter(({ outcome }) => ['failed', 'undone'].includes(outcome)).length
  if (failures > 0)
    throw new PartialError('access-not-enforced', `${counted(failures, 'change')} not made`, {
      result,
    })
  const differs = [
    ...(planned > 0 ? [`${counted(planned, 'difference')} to be mended`] : []),
    ...(left.length > 0 ? [`${counted(left.length, 'difference')} left`] : []),
  ]
  return verdictOn(result, {
    found: differs.length > 0 && {
      code: 'access-differs',
      words: differs.join('; '),
      suggestions: planned > 0 ? ['the same command with --yes'] : [],
    },
    unchecked: notChecked.length > 0 && {
      words: `${counted(notChecked.length, 'check')} not carried out`,
      isOutOfReach: failed.some(({ error }) => error instanceof UnreachableError),
    },
  })
}
