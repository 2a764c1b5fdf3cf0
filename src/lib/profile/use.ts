import { DEFAULT_PROFILE, readConfig, writeConfig } from '../config/config-file.js'
import { homeDirectory } from '../config/home.js'
import { NotFoundError } from '../errors.js'
import type { Log } from '../workspace.js'

/** What became of the choice. */
export interface UsedProfile {
  profile: string
  /** The profile that was in use before. */
  former: string
  outcome: 'changed' | 'unchanged'
}

/**
 * Makes a profile the one that commands use when none is named.
 * Throws NotFoundError when config.json does not have it.
 */
export async function useProfile(
  { environment, log }: { environment: NodeJS.ProcessEnv; log: Log },
  name: string,
): Promise<UsedProfile> {
  const home = homeDirectory(environment)
  const config = (await readConfig(home)) ?? { currentProfile: DEFAULT_PROFILE, profiles: {} }
  if (name !== DEFAULT_PROFILE && !Object.hasOwn(config.profiles, name))
    throw new NotFoundError('profile-not-found', `profile ${name} does not exist`, {
      suggestions: ['cleverctl profile list', `cleverctl init --profile ${name}`],
    })
  const winner = environment['CLEVERCTL_PROFILE']
  if (winner && winner !== name) log.warn(`CLEVERCTL_PROFILE is set and wins: ${winner}`)
  const former = config.currentProfile
  if (former === name) return { profile: name, former, outcome: 'unchanged' }
  await writeConfig(home, { ...config, currentProfile: name })
  return { profile: name, former, outcome: 'changed' }
}
