import { FAULTS_OF_DATABASES } from './faults/of-databases.js'
import { FAULTS_OF_GRANTS } from './faults/of-grants.js'
import { FAULTS_OF_RIGHTS } from './faults/of-rights.js'
import { FAULTS_OF_ROLES } from './faults/of-roles.js'
import { FAULTS_OF_RULES } from './faults/of-rules.js'
import { FAULTS_OF_SETTINGS } from './faults/of-settings.js'
import type { Fault } from './types.js'

/** Every fault that the audit is known to find. */
export const FAULTS: readonly Fault[] = [
  ...FAULTS_OF_ROLES,
  ...FAULTS_OF_RULES,
  ...FAULTS_OF_GRANTS,
  ...FAULTS_OF_SETTINGS,
  ...FAULTS_OF_RIGHTS,
  ...FAULTS_OF_DATABASES,
]
