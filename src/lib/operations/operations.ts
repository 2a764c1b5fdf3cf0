import { rotateOperation } from '../api-key/rotation-campaign.js'
import type { Operations } from '../campaign/operation.js'

/** Everything that can be done to many targets, for whoever goes on with campaigns of any kind. */
export const OPERATIONS: Operations = { [rotateOperation.name]: rotateOperation }
