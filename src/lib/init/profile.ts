import { isDeepStrictEqual } from 'node:util'
import {
  DEFAULT_PROFILE,
  type Config,
  type Profile,
  readConfig,
  writeConfig,
} from '../config/config-file.js'
import { homeDirectory } from '../config/home.js'
import { overridingDatabase, type Settings, settingsOf } from '../config/settings.js'
import { ConflictError, UsageError } from '../errors.js'

/** What init is told; what is absent is asked for, or taken from the profile, or the default. */
export interface ProfileWishes {
  profile: string | undefined
  databaseUrl: string | undefined
  keyring: string | undefined
}

/** Questions for a person; the usual answer is the suggestion, which stands where nobody may be asked. */
export type AskChoice = (input: { question: string; suggestion: string }) => Promise<string>

const DATABASE_QUESTION = {
  question: 'Where to keep the data: embedded, or the postgres:// URL of a server',
  suggestion: 'embedded',
}
const KEYRING_QUESTION = {
  question: 'What guards the keyring: a file, or a passphrase on top of it',
  suggestion: 'file',
}

/** A profile as it is to be, with the settings of commands that use it. */
export interface PlannedProfile {
  name: string
  profile: Profile
  settings: Settings
  /** config.json as it is to be; undefined when it is so already. */
  config: Config | undefined
  /** Whether commands use this profile without being told. */
  isCurrent: boolean
}

/**
 * Decides what the profile says. A profile that is there is never changed: it names a database with
 * data in it.
 * @throws ConflictError when the wishes differ from the profile that is there, UsageError for a bad wish
 */
export async function planProfile(
  wishes: ProfileWishes,
  given: { environment: NodeJS.ProcessEnv; choose: AskChoice },
): Promise<PlannedProfile> {
  const { environment, choose } = given
  const home = homeDirectory(environment)
  const config = await readConfig(home)
  const named = wishes.profile || environment['CLEVERCTL_PROFILE'] || undefined
  const name = named ?? config?.currentProfile ?? DEFAULT_PROFILE
  const present = Object.entries(config?.profiles ?? {}).find(([key]) => key === name)?.[1]

  // The flag goes through the same check as everywhere, and then into the profile.
  const override = await overridingDatabase({
    databaseUrl: wishes.databaseUrl,
    isProfileNamed: named !== undefined,
    environment,
  })
  const isDecided = present !== undefined || override !== undefined
  const database = wishes.databaseUrl ?? (isDecided ? undefined : await choose(DATABASE_QUESTION))
  const keyring = wishes.keyring ?? (present ? undefined : await choose(KEYRING_QUESTION))
  const profile: Profile = {
    database: database ? parseDatabase(database) : (present?.database ?? { mode: 'embedded' }),
    keyring: keyring
      ? { ...present?.keyring, provider: parseProvider(keyring) }
      : (present?.keyring ?? { provider: 'file' }),
  }
  if (present !== undefined && !isDeepStrictEqual(profile, present)) {
    throw new ConflictError('profile-differs', `profile ${name} exists and says otherwise`, {
      suggestions: ['give another name by --profile NAME', `or change it in ${home}/config.json`],
    })
  }
  return {
    name,
    profile,
    settings: settingsOf(name, profile, {
      home,
      environment,
      override: wishes.databaseUrl ? undefined : override,
    }),
    config:
      present === undefined
        ? {
            currentProfile: config?.currentProfile ?? name,
            profiles: { ...config?.profiles, [name]: profile },
          }
        : undefined,
    isCurrent: (config?.currentProfile ?? name) === name,
  }
}

/** Writes config.json where it is to change. @returns whether it was written */
export async function writePlanned({ config, settings }: PlannedProfile): Promise<boolean> {
  if (config === undefined) return false
  await writeConfig(settings.home, config)
  return true
}

function parseDatabase(text: string): Profile['database'] {
  const answer = text.trim()
  return answer === 'embedded' ? { mode: 'embedded' } : { mode: 'server', url: answer }
}

function parseProvider(text: string): Profile['keyring']['provider'] {
  const answer = text.trim()
  if (answer === 'file' || answer === 'passphrase') return answer
  throw new UsageError('invalid-keyring', `no keyring is called ${JSON.stringify(answer)}`, {
    suggestions: ['give --keyring file or --keyring passphrase'],
  })
}
