import { ConflictError } from '../errors.js'
import { refuseFault } from '../fault.js'
import { appendTrail } from '../trail/append.js'
import type { Workspace } from '../workspace.js'
import { insertInstallations, lockInstallation } from './store.js'
import {
  differenceOf,
  faultOfCode,
  faultOfName,
  faultOfTimezone,
  type InstallationFacts,
  spelledTimezone,
} from './types.js'

/** An installation that was asked for, and whether it is new. */
export interface CreatedInstallation extends InstallationFacts {
  outcome: 'created' | 'unchanged'
}

/**
 * Enters an installation. The same command again changes nothing.
 * @param asked latitude and longitude have been checked
 * @throws UsageError for a bad code, name or time zone
 * @throws ConflictError when the code is taken by an installation with other facts, or a retired one
 */
export async function createInstallation(
  workspace: Workspace,
  asked: InstallationFacts,
): Promise<CreatedInstallation> {
  const { database, actor, clock } = workspace
  const { code, name, latitude, longitude } = asked
  refuseFault(faultOfCode(code) ?? faultOfName(name) ?? faultOfTimezone(asked.timezone))
  const timezone = spelledTimezone(asked.timezone)
  const facts: InstallationFacts = { code, name, timezone, latitude, longitude }
  return database.transaction(async (transaction) => {
    const [created] = await insertInstallations(transaction, [facts], clock.now())
    if (created !== undefined) {
      const details = { name, timezone, latitude, longitude }
      await appendTrail(transaction, actor, {
        action: 'installation.create',
        subject: code,
        details,
      })
      return { ...facts, outcome: 'created' }
    }
    const existing = await lockInstallation(transaction, code)
    if (existing?.retiredAt) throw taken(code, 'is retired, and its code is not given again')
    const difference = existing && differenceOf(existing, facts)
    if (difference !== undefined) throw taken(code, `exists with another ${difference}`)
    return { ...facts, outcome: 'unchanged' }
  })
}

function taken(code: string, how: string): ConflictError {
  return new ConflictError('installation-exists', `installation ${code} ${how}`, {
    suggestions: [`cleverctl installation show ${code}`],
  })
}
