import { rotateOperation } from '../api-key/rotation-campaign.js'
import type { Operations } from '../campaign/operation.js'
import { ROTATE_ROUTERS, routerRotation } from '../router/rotation/campaign.js'

/**
 * Everything that can be done to many targets, for whoever goes on with campaigns of any kind.
 * @param environment the process environment: how one gets to routers
 */
export function operations(environment: NodeJS.ProcessEnv): Operations {
  return {
    [rotateOperation.name]: rotateOperation,
    [ROTATE_ROUTERS]: routerRotation({ environment }),
  }
}
