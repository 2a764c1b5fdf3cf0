import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { delimiter, join, resolve } from 'node:path'
import type { EmbeddedSettings } from '../../config/settings.js'
import { FailureError, UsageError } from '../../errors.js'
import type { Account } from './account.js'
import { runProgram } from './child.js'
import { npmPrograms, usableFolder } from './npm-programs.js'

/** The programs of one PostgreSQL. */
export interface Programs {
  /** Holds `initdb`, `pg_ctl` and `postgres`. */
  folder: string
  /** How they were found. */
  origin: 'CLEVERCTL_POSTGRES_BIN' | 'system' | 'npm'
  major: number
}

/** The first release with everything the schema uses (`unique nulls not distinct`). */
const OLDEST_MAJOR = 15
/** Value of CLEVERCTL_POSTGRES_BIN that passes over the system's programs. */
const NPM = 'npm'
const NEEDED = ['initdb', 'pg_ctl', 'postgres']

/**
 * Finds the programs for a data folder of release `major`, or for a new one (`major` undefined: the
 * newest there is). CLEVERCTL_POSTGRES_BIN
 * (a folder, or `npm`) decides alone; else the system's come before npm's.
 * Throws UsageError or FailureError saying what is missing.
 */
export async function findPrograms(
  settings: EmbeddedSettings,
  given: { major: number | undefined; account: Account; place: string },
): Promise<Programs> {
  const { major, account, place } = given
  const { binaries, searchPath } = settings
  if (binaries !== undefined && binaries !== NPM) return namedPrograms(binaries, given)
  const installed = binaries === NPM ? [] : await systemPrograms(searchPath, account)
  for (const programs of installed) {
    if (programs.major >= OLDEST_MAJOR && (major === undefined || programs.major === major))
      return programs
  }
  const bundled = await npmPrograms(place, account)
  if (bundled !== undefined && (major === undefined || bundled.major === major)) return bundled
  if (major === undefined) {
    throw new FailureError(
      'postgres-missing',
      'no PostgreSQL 15 or later is found for the embedded database',
      {
        suggestions: [
          'npm install --global cleverctl  (without --omit=optional)',
          "or install the system's package postgresql",
          'or use a server: --database-url',
        ],
      },
    )
  }
  throw new FailureError(
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

async function namedPrograms(
  named: string,
  given: { major: number | undefined; account: Account; place: string },
): Promise<Programs> {
  if (!isComplete(named)) {
    throw new UsageError(
      'postgres-missing',
      `CLEVERCTL_POSTGRES_BIN: ${named} does not hold ${NEEDED.join(', ')}`,
    )
  }
  const folder = await usableFolder(resolve(named), given)
  const major = await majorOf(folder, given.account)
  const isRight = given.major === undefined ? (major ?? 0) >= OLDEST_MAJOR : major === given.major
  if (major === undefined || !isRight) {
    throw new UsageError(
      'postgres-missing',
      `CLEVERCTL_POSTGRES_BIN: ${named} is not PostgreSQL ${given.major ?? `${OLDEST_MAJOR} or later`}`,
    )
  }
  return { folder, origin: 'CLEVERCTL_POSTGRES_BIN', major }
}

/** Newest first; those of the packages' folders before those of the search path. */
async function systemPrograms(searchPath: string, account: Account): Promise<Programs[]> {
  const packages = (await readdir('/usr/lib/postgresql').catch(() => []))
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ folder: join('/usr/lib/postgresql', name, 'bin'), major: Number(name) }))
    .sort((a, b) => b.major - a.major)
  const found: Programs[] = packages
    .filter(({ folder }) => isComplete(folder))
    .map((programs) => ({ ...programs, origin: 'system' }))
  for (const folder of new Set(searchPath.split(delimiter))) {
    if (!folder.startsWith('/') || !isComplete(folder)) continue
    const major = await majorOf(folder, account)
    if (major !== undefined) found.push({ folder, origin: 'system', major })
  }
  return found
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
