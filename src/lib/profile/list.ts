import { DEFAULT_PROFILE, readConfig, type Profile } from '../config/config-file.js'
import { homeDirectory } from '../config/home.js'
import { settingsOf } from '../config/settings.js'
import { describeEmbedded } from '../database/embedded/routes.js'
import { describeServer } from '../database/server-routes.js'

/** One profile, as lists show it. */
export interface ListedProfile {
  name: string
  /** Whether a command that names none uses it. */
  isInUse: boolean
  database: { mode: 'embedded' | 'server'; description: string }
  keyring: { provider: 'file' | 'passphrase'; file: string }
}

/**
 * The profiles of config.json by name, and the default one that is always there.
 * @param environment names the home folder and may name the profile in use
 */
export async function listProfiles(
  environment: NodeJS.ProcessEnv,
): Promise<{ profiles: ListedProfile[] }> {
  const home = homeDirectory(environment)
  const config = await readConfig(home)
  const inUse = environment['CLEVERCTL_PROFILE'] || (config?.currentProfile ?? DEFAULT_PROFILE)
  const all: Record<string, Profile> = {
    [DEFAULT_PROFILE]: { database: { mode: 'embedded' }, keyring: { provider: 'file' } },
    ...config?.profiles,
  }
  const profiles = Object.entries(all).map(([name, profile]) => {
    const { database, keyring } = settingsOf(name, profile, {
      home,
      environment,
      override: undefined,
    })
    const description =
      database.mode === 'embedded' ? describeEmbedded(database) : describeServer(database)
    return {
      name,
      isInUse: name === inUse,
      database: { mode: database.mode, description },
      keyring: { provider: keyring.provider, file: keyring.file },
    }
  })
  return { profiles: profiles.sort((a, b) => a.name.localeCompare(b.name, 'en')) }
}
