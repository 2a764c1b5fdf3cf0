import { access } from './access.js'
import { estate } from './estate.js'
import { keys } from './keys.js'
import { people } from './people.js'
import { plants } from './plants.js'
import { routers } from './routers.js'
import { tool } from './tool.js'
import type { Scenarios } from './types.js'

/** Every command. A command of the manifest that is missing here fails the tests that walk it. */
export const scenarios: Scenarios = {
  ...access,
  ...estate,
  ...keys,
  ...people,
  ...plants,
  ...routers,
  ...tool,
}
