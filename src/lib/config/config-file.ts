import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { RefusedError, UsageError } from '../errors.js'
import { errorCode, makeFolder, writeWhole } from '../file-system.js'
import { isObject } from '../json.js'
import { hasPassword } from './libpq-url.js'

/** Where a profile's database is. */
export type ProfileDatabase = { mode: 'embedded' } | { mode: 'server'; url: string }

/** Where a profile's sealing keys come from. */
export interface ProfileKeyring {
  provider: 'file' | 'passphrase'
  /** The key file; `keyring.json` in the home folder where absent. */
  file?: string
}

/** One named database with its keyring, like a context of kubectl. */
export interface Profile {
  database: ProfileDatabase
  keyring: ProfileKeyring
}

/** What config.json holds. */
export interface Config {
  currentProfile: string
  profiles: Record<string, Profile>
}

/** The profile that is there before anybody wrote a config.json. */
export const DEFAULT_PROFILE = 'default'

const PROFILE_NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/i

/** Path of config.json in a home folder. */
function configFile(home: string): string {
  return join(home, 'config.json')
}

/**
 * Reads config.json; undefined where there is none.
 * Throws UsageError, naming the file and the place in it, when it is not valid or there is no file in its
 * place; RefusedError when it may not be read.
 */
export async function readConfig(home: string): Promise<Config | undefined> {
  const file = configFile(home)
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    const code = errorCode(cause)
    if (code === 'ENOENT') return undefined
    if (code !== 'EACCES' && code !== 'EPERM')
      throw new UsageError('config-unreadable', `cannot read ${file} (${code})`, {
        suggestions: ['set CLEVERCTL_HOME to a folder of yours'],
        cause,
      })
    throw new RefusedError('config-unreadable', `this account may not read ${file}`, {
      suggestions: ['run cleverctl as the owner of that folder, or set CLEVERCTL_HOME'],
      cause,
    })
  }
  const config = parseConfig(text, file)
  const holdsPassword = Object.values(config.profiles).some(
    ({ database }) => database.mode === 'server' && hasPassword(database.url),
  )
  if (holdsPassword && process.platform !== 'win32' && ((await stat(file)).mode & 0o077) !== 0) {
    throw new UsageError(
      'config-not-private',
      `${file} holds a password and is open to group or world`,
      {
        suggestions: [`chmod 600 ${file}`],
      },
    )
  }
  return config
}

/**
 * Replaces config.json whole (mode 0600): a crash leaves the former file or the new one. The home
 * folder is made (0700) when it is not there.
 */
export async function writeConfig(home: string, config: Config): Promise<void> {
  const file = configFile(home)
  const text = `${JSON.stringify(config, null, 2)}\n`
  parseConfig(text, file)
  await makeFolder(home, 0o700)
  await writeWhole(file, text, 0o600)
}

function parseConfig(text: string, file: string): Config {
  const refuse = (complaint: string): never => {
    throw new UsageError('config-invalid', `${file}: ${complaint}`, {
      suggestions: ['cleverctl help config'],
    })
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return refuse('not JSON')
  }
  if (!isObject(value)) return refuse('must be an object')
  const { currentProfile = DEFAULT_PROFILE, profiles = {} } = value
  if (typeof currentProfile !== 'string') return refuse('currentProfile must be a name')
  if (!isObject(profiles)) return refuse('profiles must be an object')
  const parsed: Record<string, Profile> = {}
  for (const [name, profile] of Object.entries(profiles)) {
    if (!PROFILE_NAME.test(name))
      return refuse('a profile has a name that is not letters, digits, . _ -')
    parsed[name] = parseProfile(profile, (complaint) => refuse(`profiles.${name}${complaint}`))
  }
  return { currentProfile, profiles: parsed }
}

function parseProfile(value: unknown, refuse: (complaint: string) => never): Profile {
  if (!isObject(value)) return refuse(' must be an object')
  const { database = { mode: 'embedded' }, keyring = { provider: 'file' } } = value
  if (!isObject(database)) return refuse('.database must be an object')
  if (!isObject(keyring)) return refuse('.keyring must be an object')
  return { database: parseDatabase(database, refuse), keyring: parseKeyring(keyring, refuse) }
}

function parseDatabase(
  database: Record<string, unknown>,
  refuse: (complaint: string) => never,
): ProfileDatabase {
  if (database['mode'] === 'embedded') return { mode: 'embedded' }
  if (database['mode'] !== 'server') return refuse('.database.mode must be "embedded" or "server"')
  const url = database['url']
  if (typeof url !== 'string' || url === '')
    return refuse('.database.url must be a postgres:// URL')
  return { mode: 'server', url }
}

function parseKeyring(
  keyring: Record<string, unknown>,
  refuse: (complaint: string) => never,
): ProfileKeyring {
  const { provider, file } = keyring
  if (provider !== 'file' && provider !== 'passphrase') {
    return refuse('.keyring.provider must be "file" or "passphrase"')
  }
  if (file === undefined) return { provider }
  if (typeof file !== 'string' || file === '') return refuse('.keyring.file must be a path')
  return { provider, file }
}
