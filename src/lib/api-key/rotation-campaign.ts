import type { Context, Operation, Outcome, Parameters } from '../campaign/operation.js'
import { ConflictError } from '../errors.js'
import { abandonKey } from './abandon.js'
import { insertNewKey } from './deliver.js'
import { requireActiveOwner } from './owner.js'
import { nothingCurrent, replaceKey } from './rotate.js'
import { apiKeyStanding } from './standing.js'
import { lockOwner, selectKeys, selectPendingKey } from './store.js'
import type { Overlap } from './types.js'

/** What a rotation of many keys is asked for. */
export interface RotationParameters {
  overlap: Overlap
  /** How long new keys work; undefined = as long as each former one was made for. */
  lifetimeMs: number | undefined
  /** Keys that were younger when the campaign began stay; undefined = all are replaced. */
  olderThanMs: number | undefined
}

/** The parameters as they lie in the database. */
export function toParameters({ overlap, lifetimeMs, olderThanMs }: RotationParameters): Parameters {
  const { graceMs, adoption } = overlap
  return {
    graceMs,
    adoptionPercent: adoption?.percent ?? null,
    hardDeadlineMs: adoption?.hardDeadlineMs ?? null,
    lifetimeMs: lifetimeMs ?? null,
    olderThanMs: olderThanMs ?? null,
  }
}

/**
 * Replaces the current key of one installation. The new one is shown to nobody: gates hand it to the loggers. A
 * key that was made since the campaign began stays, whoever made it.
 */
export const rotateOperation: Operation = {
  name: 'api-key rotate',
  prepare: async (workspace) => {
    await workspace.keyring()
  },
  perform: async (workspace, installation, context) =>
    context.settle(async (transaction) => {
      const owner = requireActiveOwner(await lockOwner(transaction, installation), installation)
      const { overlap, lifetimeMs, olderThanMs } = fromParameters(context.parameters)
      const keys = await selectKeys(transaction, owner.id)
      const current = keys.find(({ state }) => state === 'CURRENT')
      if (current === undefined) throw nothingCurrent(installation)
      if (current.createdAt.getTime() > context.startedAt.getTime() - (olderThanMs ?? 0))
        return UNCHANGED
      if (apiKeyStanding(current, workspace.clock.now()) === 'EXPIRED') throw expired(installation)
      const waiting = await selectPendingKey(transaction, owner.id)
      if (waiting) await abandonKey(workspace, transaction, { installation, owner, ...waiting })
      const { campaign } = context
      const asked = { installation, owner, current, overlap, lifetimeMs, campaign }
      const prepared = await replaceKey(workspace, transaction, asked)
      await insertNewKey(workspace, transaction, { installation, owner, prepared })
      return DONE
    }),
  nextStep: (installation) => `cleverctl api-key list ${installation}`,
}

const DONE: Outcome = { state: 'done' }
const UNCHANGED: Outcome = { state: 'unchanged' }

function fromParameters(parameters: Context['parameters']): RotationParameters {
  const number = (name: string) => {
    const value = parameters[name]
    return typeof value === 'number' ? value : undefined
  }
  const [percent, hardDeadlineMs] = [number('adoptionPercent'), number('hardDeadlineMs')]
  const adoption =
    percent === undefined || hardDeadlineMs === undefined ? undefined : { percent, hardDeadlineMs }
  const graceMs = number('graceMs')
  if (graceMs === undefined) throw new Error('the campaign has no grace')
  return {
    overlap: { graceMs, adoption },
    lifetimeMs: number('lifetimeMs'),
    olderThanMs: number('olderThanMs'),
  }
}

/** No logger can come with the former key any more to fetch the next one. */
function expired(installation: string): ConflictError {
  return new ConflictError(
    'api-key-expired',
    `the API key of installation ${installation} has expired: its loggers cannot fetch another one`,
  )
}
