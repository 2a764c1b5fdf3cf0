import { stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ExpectedError } from '../../errors.js'
import type { Scene } from '../scene.js'
import { type Check, failure, type Finding, ok, warning } from '../types.js'

/** As `engines` in package.json says. */
const OLDEST_NODE = { major: 20, minor: 17 }
const MEBIBYTE = 1024 * 1024
const DISK_WARNING = 1024 * MEBIBYTE
/** PostgreSQL stops when it cannot write its log. */
const DISK_FAILURE = 128 * MEBIBYTE

/** Checks of the machine this runs on. */
export const machineChecks: readonly Check[] = [
  { id: 'node', title: 'Node.js', run: async () => checkNode(process.versions.node) },
  { id: 'home', title: 'home folder', run: checkHome },
  { id: 'config', title: 'configuration', run: checkConfig },
  { id: 'disk', title: 'free disk space', run: checkDisk },
]

/** Judges a version of Node.js such as `20.12.0`. */
export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const { major: oldest, minor: oldestMinor } = OLDEST_NODE
  if (major > oldest || (major === oldest && minor >= oldestMinor)) return ok(version)
  return failure(`${version} is too old`, `install Node.js ${oldest}.${oldestMinor} or later`)
}

async function checkHome({ home }: Scene): Promise<Finding> {
  const status = await stat(home).catch(() => undefined)
  if (status === undefined) return warning(`${home} is not there yet`, 'cleverctl init')
  if (process.platform === 'win32') return ok(home)
  const mode = `mode ${(status.mode & 0o777).toString(8).padStart(4, '0')}`
  if (status.uid !== process.getuid?.()) {
    return failure(
      `${home} belongs to another account`,
      'set CLEVERCTL_HOME to a folder of your own',
    )
  }
  // Passing through (0711) is allowed: the embedded server's own account may have to.
  if ((status.mode & 0o022) !== 0) {
    return failure(`${home} can be written by others (${mode})`, `chmod 700 ${home}`)
  }
  if ((status.mode & 0o044) !== 0) {
    return warning(`${home} can be listed by others (${mode})`, `chmod go-r ${home}`)
  }
  return ok(`${home} (${mode})`)
}

async function checkConfig(scene: Scene): Promise<Finding> {
  try {
    const { profile, databaseSource } = await scene.settings()
    const origin = (await scene.hasConfig()) ? 'of config.json' : 'built in, no config.json'
    return ok(`profile ${profile} (${origin}); database by ${databaseSource}`)
  } catch (error) {
    if (!(error instanceof ExpectedError)) throw error
    return failure(error.message, error.suggestions[0] ?? 'cleverctl help config')
  }
}

async function checkDisk(scene: Scene): Promise<Finding> {
  const folder = await dataFolder(scene)
  const { bavail, bsize } = await statfs(await existing(folder))
  const free = bavail * bsize
  const detail = `${(free / 1024 / MEBIBYTE).toFixed(1)} GiB free in ${folder}`
  const next = `make room in ${folder}`
  if (free < DISK_FAILURE) return failure(detail, next)
  return free < DISK_WARNING ? warning(detail, next) : ok(detail)
}

/** Where the embedded database keeps its data; the home folder where there is none. */
async function dataFolder(scene: Scene): Promise<string> {
  const settings = await scene.settings()
  if (settings.database.mode === 'server') return scene.home
  const { inspectEmbedded } = await import('../../database/embedded/supervisor.js')
  return (await inspectEmbedded(settings.database))?.dataDirectory ?? scene.home
}

/** A folder, or the nearest one above it that is there. */
async function existing(folder: string): Promise<string> {
  const isThere = await stat(folder).then(
    () => true,
    () => false,
  )
  return isThere || dirname(folder) === folder ? folder : existing(dirname(folder))
}
