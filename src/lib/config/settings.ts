import { join, resolve } from 'node:path'
import { NotFoundError, UsageError } from '../errors.js'
import { DEFAULT_PROFILE, readConfig } from './config-file.js'
import type { Config, Profile } from './config-file.js'
import { homeDirectory } from './home.js'
import { hasPassword } from './libpq-url.js'
import { serverSettings } from './libpq.js'
import type { ServerSettings } from './libpq.js'
import { readSecretFile } from '../secret-file.js'

/** The PostgreSQL that the tool starts for itself. */
export interface EmbeddedSettings {
  mode: 'embedded'
  /** The home folder; the supervisor decides where in it, or beside it, the data lies. */
  home: string
  /** Folder of the PostgreSQL programs to use instead of looking for them, or `npm` (CLEVERCTL_POSTGRES_BIN). */
  binaries: string | undefined
  /** Where programs are looked for (PATH). */
  searchPath: string
}

/** Where the sealing keys come from. */
export interface KeyringSettings {
  /** `passphrase`: the keys in the file are themselves sealed by one. */
  provider: 'file' | 'passphrase'
  /** The key file. */
  file: string
  /** Whether somebody named that file; otherwise it is the home's own. */
  isNamed: boolean
  /** The file that holds the passphrase (CLEVERCTL_KEYRING_PASSPHRASE_FILE). */
  passphraseFile: string | undefined
}

/** Everything a command must know before it can open its workspace. */
export interface Settings {
  home: string
  /** Name of the profile in use. */
  profile: string
  database: EmbeddedSettings | ServerSettings
  /** What decided the database, for people: `--database-url`, `CLEVERCTL_DATABASE_URL`, `profile production`, … */
  databaseSource: string
  keyring: KeyringSettings
}

/**
 * Decides which database and keyring a command uses. The first of these that is given wins:
 * --database-url, CLEVERCTL_DATABASE_URL, CLEVERCTL_DATABASE_URL_FILE, the profile named by --profile
 * or CLEVERCTL_PROFILE, PGHOST, the current profile of config.json, the embedded database.
 * Throws UsageError for what is not valid, NotFoundError for an unknown profile.
 */
export async function resolveSettings(given: {
  profile?: string | undefined
  databaseUrl?: string | undefined
  environment: NodeJS.ProcessEnv
}): Promise<Settings> {
  const { environment } = given
  const home = homeDirectory(environment)
  const config = await readConfig(home)
  const named = given.profile || environment['CLEVERCTL_PROFILE'] || undefined
  const profileName = named ?? config?.currentProfile ?? DEFAULT_PROFILE
  const profile = findProfile(profileName, config, home)
  const override = await overridingDatabase({ ...given, isProfileNamed: named !== undefined })
  return settingsOf(profileName, profile, { home, environment, override })
}

/**
 * The settings of a command that uses `profile`, whether config.json has it or not.
 * @param given.override the database that wins over the profile's; see {@link overridingDatabase}
 */
export function settingsOf(
  profileName: string,
  profile: Profile,
  given: {
    home: string
    environment: NodeJS.ProcessEnv
    override: DatabaseChoice | undefined
  },
): Settings {
  const { home, environment, override } = given
  const [database, databaseSource] =
    override ?? profileDatabase(profileName, profile, home, environment)
  return {
    home,
    profile: profileName,
    database,
    databaseSource,
    keyring: keyringSettings(profile, home, environment),
  }
}

/** A database and what decided it. */
export type DatabaseChoice = [database: Settings['database'], source: string]

/**
 * The database that --database-url or the environment names; undefined where the profile decides.
 * Throws UsageError for what is not valid.
 */
export async function overridingDatabase(given: {
  databaseUrl?: string | undefined
  isProfileNamed: boolean
  environment: NodeJS.ProcessEnv
}): Promise<DatabaseChoice | undefined> {
  const { databaseUrl, isProfileNamed, environment } = given
  const chosen = await urlDatabase(databaseUrl, environment)
  return chosen ?? (isProfileNamed ? undefined : environmentDatabase(environment))
}

function findProfile(name: string, config: Config | undefined, home: string): Profile {
  const profiles = config?.profiles ?? {}
  const profile = Object.hasOwn(profiles, name) ? profiles[name] : undefined
  if (profile !== undefined) return profile
  if (name === DEFAULT_PROFILE)
    return { database: { mode: 'embedded' }, keyring: { provider: 'file' } }
  const names = [...new Set([DEFAULT_PROFILE, ...Object.keys(profiles)])].sort()
  throw new NotFoundError(
    'profile-not-found',
    `profile ${name} is not in ${join(home, 'config.json')}`,
    {
      suggestions: [`profiles there are: ${names.join(', ')}`],
    },
  )
}

async function urlDatabase(
  flag: string | undefined,
  environment: NodeJS.ProcessEnv,
): Promise<DatabaseChoice | undefined> {
  if (flag !== undefined && flag !== '') {
    if (hasPassword(flag)) {
      throw new UsageError(
        'password-in-flag',
        '--database-url holds a password, which other users of this machine can read',
        {
          suggestions: [
            'put it in a file named by PGPASSFILE',
            'or the whole URL in a file named by CLEVERCTL_DATABASE_URL_FILE',
          ],
        },
      )
    }
    return [serverSettings(flag, environment), '--database-url']
  }
  const url = environment['CLEVERCTL_DATABASE_URL']
  if (url) return [serverSettings(url, environment), 'CLEVERCTL_DATABASE_URL']
  const file = environment['CLEVERCTL_DATABASE_URL_FILE']
  if (!file) return undefined
  const text = await readSecretFile(file, 'CLEVERCTL_DATABASE_URL_FILE')
  return [serverSettings(text.reveal().trim(), environment), 'CLEVERCTL_DATABASE_URL_FILE']
}

function environmentDatabase(environment: NodeJS.ProcessEnv): DatabaseChoice | undefined {
  return environment['PGHOST'] ? [serverSettings(undefined, environment), 'PGHOST'] : undefined
}

function profileDatabase(
  name: string,
  profile: Profile,
  home: string,
  environment: NodeJS.ProcessEnv,
): DatabaseChoice {
  const source = `profile ${name}`
  if (profile.database.mode === 'server') {
    return [serverSettings(profile.database.url, environment), source]
  }
  return [
    {
      mode: 'embedded',
      home,
      binaries: environment['CLEVERCTL_POSTGRES_BIN'] || undefined,
      searchPath: environment['PATH'] ?? '',
    },
    source,
  ]
}

function keyringSettings(
  profile: Profile,
  home: string,
  environment: NodeJS.ProcessEnv,
): KeyringSettings {
  const shared = environment['CLEVERCTL_KEYRING_FILE']
  const { provider, file } = profile.keyring
  return {
    provider,
    file: shared ? resolve(shared) : resolve(home, file ?? 'keyring.json'),
    isNamed: Boolean(shared) || file !== undefined,
    passphraseFile: environment['CLEVERCTL_KEYRING_PASSPHRASE_FILE'] || undefined,
  }
}
