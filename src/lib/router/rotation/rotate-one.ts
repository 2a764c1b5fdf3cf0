import { ExpectedError } from '../../errors.js'
import type { Workspace } from '../../workspace.js'
import type { Ways } from '../../ssh/pin.js'
import type { Targets } from './rotate-many.js'
import { rotateRouter, UNKNOWN, type RotatedRouter } from './rotate.js'
import type { RotationChoice } from './types.js'

/**
 * Gives one router new secrets now, and tells of it in the form in which many are told of.
 * @throws what `rotateRouter` throws, with that form as its result
 */
export async function rotateOneRouter(
  workspace: Workspace,
  asked: { installation: string; choice: RotationChoice },
  ways: Pick<Ways, 'environment'>,
): Promise<RotatedRouter & Targets> {
  const { installation } = asked
  const startedAt = workspace.clock.now()
  try {
    const rotated = await rotateRouter(workspace, { ...asked, startedAt }, ways)
    return { ...rotated, succeeded: [installation], failed: [], unknown: [] }
  } catch (error) {
    if (!(error instanceof ExpectedError)) throw error
    const { code, message } = error
    const isUnknown = code === UNKNOWN
    const told = [{ installation, code, message }]
    const targets: Targets = {
      succeeded: [],
      failed: isUnknown ? [] : told,
      unknown: isUnknown ? told : [],
    }
    throw error.withResult({ installation, ...targets })
  }
}
