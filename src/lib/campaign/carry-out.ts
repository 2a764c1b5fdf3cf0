import { ConflictError } from '../errors.js'
import type { Workspace } from '../workspace.js'
import { resumeCampaign } from './change.js'
import type { Operation, Operations } from './operation.js'
import { outcomeOf } from './outcome.js'
import { isAnybodyThere } from './presence.js'
import { findCampaign, reportCampaign } from './report.js'
import { runCampaign } from './run.js'
import { planCampaign, startCampaign, type CampaignOrder } from './start.js'
import type { Campaign, CampaignReport } from './types.js'

/**
 * Makes a campaign and works it off in this process, or goes on with the unfinished one of the same order; with
 * `order.isDetached` it is made and left to the workers.
 * Throws ConflictError when targets are held, when somebody else runs it, or when a person had it paused; PartialError
 * when targets failed or a rule stopped it; CancelledError when this process was asked to end.
 */
export async function carryOut(
  workspace: Workspace,
  operations: Operations,
  given: { order: CampaignOrder; concurrency: number },
): Promise<CampaignReport> {
  const { order, concurrency } = given
  const operation = operationOf(operations, order.operation)
  if (!order.isDetached) await operation.prepare(workspace, order.parameters)
  const started = await startCampaign(workspace, order)
  if (started === undefined) return planCampaign(workspace, operations, order)
  const { campaign, isNew } = started
  if (!isNew && campaign.state === 'running') await refuseRunning(workspace, campaign, order)
  if (campaign.state === 'running' && !order.isDetached) {
    workspace.log.info(`${isNew ? 'made' : 'goes on with'} campaign ${campaign.id}`)
    await runCampaign(workspace, { campaign, operation, concurrency })
  }
  if (isNew && order.isDetached)
    workspace.log.info(`made campaign ${campaign.id}, for: cleverctl campaign work`)
  return outcomeOf(workspace, await reportCampaign(workspace, operations, campaign.id))
}

/**
 * Lets a campaign run again and works it off in this process, or leaves it to the workers.
 * Throws what {@link carryOut} throws, and NotFoundError when there is none with this id.
 */
export async function carryOn(
  workspace: Workspace,
  operations: Operations,
  asked: { id: string; isDetached: boolean; retriesFailed: boolean; concurrency: number },
): Promise<CampaignReport> {
  const { id, isDetached, concurrency } = asked
  const { operation: name, parameters } = await findCampaign(workspace, id)
  const operation = operationOf(operations, name)
  if (!isDetached) await operation.prepare(workspace, parameters)
  const campaign = await resumeCampaign(workspace, asked)
  if (campaign.state === 'running' && !isDetached)
    await runCampaign(workspace, { campaign, operation, concurrency })
  return outcomeOf(workspace, await reportCampaign(workspace, operations, id))
}

/** The operation with this name. Throws ConflictError for one that this version of the tool does not have. */
function operationOf(operations: Operations, name: string): Operation {
  const operation = operations[name]
  if (operation !== undefined) return operation
  throw new ConflictError(
    'operation-unknown',
    `this version of cleverctl cannot carry out ${JSON.stringify(name)} over many targets`,
    { suggestions: ['npm install --global cleverctl@latest'] },
  )
}

/** The same command may go on with what was interrupted, and must not run beside somebody who is at it. */
async function refuseRunning(
  workspace: Workspace,
  { id, isDetached }: Campaign,
  order: CampaignOrder,
): Promise<void> {
  const suggestions = [`cleverctl campaign show ${id}`, `cleverctl campaign resume ${id}`]
  if (isDetached !== order.isDetached)
    throw new ConflictError(
      'campaign-running',
      isDetached
        ? `campaign ${id}, of the same command, is left to the workers`
        : `campaign ${id}, of the same command, is not left to the workers`,
      { suggestions: isDetached ? suggestions : [`cleverctl campaign resume ${id} --detach`] },
    )
  if (!isDetached && (await isAnybodyThere(workspace, { campaign: id })))
    throw new ConflictError('campaign-running', `campaign ${id}, of the same command, is running`, {
      suggestions,
    })
}
