import type { Context, Operation, Outcome, Parameters } from '../../campaign/operation.js'
import { UnreachableError } from '../../errors.js'
import type { Ways } from '../../ssh/pin.js'
import { rotateRouter, UNKNOWN } from './rotate.js'
import { DEFAULT_ROLLBACK_MS, ROTATED, type Rotated, type RotationChoice } from './types.js'

/** As its command is called. */
export const ROTATE_ROUTERS = 'router rotate'

/** A choice as it lies in the database. */
export function toParameters(choice: RotationChoice): Parameters {
  return {
    what: [...choice.what].sort().join(','),
    overlapMs: choice.overlapMs ?? null,
    rollbackMs: choice.rollbackMs,
    olderThanMs: choice.olderThanMs ?? null,
    overwrite: choice.isOverwriting,
  }
}

/** Gives the router of each installation new secrets; see {@link rotateRouter}. */
export function routerRotation({ environment }: Pick<Ways, 'environment'>): Operation {
  return {
    name: ROTATE_ROUTERS,
    prepare: async (workspace) => {
      await workspace.keyring()
    },
    perform: async (workspace, installation, { parameters, startedAt }) => {
      const choice = fromParameters(parameters)
      try {
        const asked = { installation, choice, startedAt }
        const { outcome } = await rotateRouter(workspace, asked, { environment })
        return { state: outcome === 'unchanged' ? 'unchanged' : 'done' }
      } catch (error) {
        return routersTrouble(error)
      }
    },
    nextStep: (installation) => `cleverctl router reconcile ${installation}`,
  }
}

/** A router out of reach is the trouble of this target; a database out of reach is everybody's. */
function routersTrouble(error: unknown): Outcome {
  const isRouter =
    error instanceof UnreachableError && (error.code.startsWith('ssh-') || error.code === UNKNOWN)
  if (!isRouter) throw error
  return { state: 'failed', code: error.code, message: error.message }
}

function fromParameters(parameters: Context['parameters']): RotationChoice {
  const number = (name: string) => {
    const value = parameters[name]
    return typeof value === 'number' ? value : undefined
  }
  return {
    what: String(parameters['what'])
      .split(',')
      .filter((text): text is Rotated => ROTATED.some((each) => each === text)),
    overlapMs: number('overlapMs'),
    rollbackMs: number('rollbackMs') ?? DEFAULT_ROLLBACK_MS,
    olderThanMs: number('olderThanMs'),
    isOverwriting: parameters['overwrite'] === true,
  }
}
