import type { Fault } from '../types.js'

/**
 * A fault that statements plant.
 * @param statements what plants it, and what takes that back
 * @param near the same for what looks like it and is none
 * @param who whom the finding must name
 */
export function sqlFault(
  rule: string,
  statements: readonly [plant: string | readonly string[], mend: string | readonly string[]],
  near?: readonly [plant: string | readonly string[], mend: string | readonly string[]],
  who: string | null = null,
): Fault {
  const [plant, mend] = statements.map((each) => [each].flat())
  const [nearPlant, nearMend] = (near ?? []).map((each) => [each].flat())
  return {
    ...{ rule, who, plant: { sql: plant ?? [], mend: mend ?? [] } },
    ...(nearPlant ? { nearMiss: { sql: nearPlant, mend: nearMend ?? [] } } : {}),
  }
}
