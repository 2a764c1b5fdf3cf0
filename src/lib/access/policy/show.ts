import type { Workspace } from '../../workspace.js'
import { selectApprovers, selectPolicy, type Policy } from './store.js'

/** The policy as results show it. */
export interface ShownPolicy extends Policy {
  /** Since when it is so; null as it was at first. */
  setAt: string | null
  /** E-mail addresses of people who can request and approve. */
  approvers: string[]
}

/** Says which grants need approval, and who can give it. */
export async function showPolicy({ database, clock }: Workspace): Promise<ShownPolicy> {
  const { policy, setAt } = await selectPolicy(database)
  const approvers = await selectApprovers(database, clock.now())
  return { ...policy, setAt: setAt?.toISOString() ?? null, approvers }
}
