import { createHash } from 'node:crypto'
import { chmod, chown, lstat, mkdir, realpath, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { RefusedError } from '../../errors.js'
import { errorCode, makeFolder } from '../../file-system.js'
import { mayPass, mayReach } from './account.js'
import type { Account } from './account.js'
import { checkSocketFolder } from './state.js'

/** Longest path of a unix socket, without the closing NUL. */
const MAX_SOCKET_PATH = process.platform === 'linux' ? 107 : 103
/** Names the socket file; nothing listens on a TCP port. */
export const SOCKET_PORT = 5432

/** The server's own folder in a place; only its account writes there. */
export const serverFolder = (place: string): string => join(place, 'server')
/** The data folder; it exists only when it is complete. */
export const dataFolder = (place: string): string => join(serverFolder(place), 'data')
/** The server's log. */
export const logFile = (place: string): string => join(serverFolder(place), 'log')

/** Makes the home folder (0700) and says where it really is. Throws RefusedError when it is not ours, UsageError when it cannot be made. */
export async function prepareHome(home: string): Promise<string> {
  await makeFolder(home, 0o700)
  if ((await stat(home)).uid !== process.getuid?.()) {
    throw new RefusedError('home-of-another', `${home} belongs to another account`, {
      suggestions: ['run cleverctl as the owner of that folder, or set CLEVERCTL_HOME'],
    })
  }
  return realpath(home)
}

/**
 * Where the server's files go: the home folder, unless it is root's and in a folder that the
 * server's account may not pass through (such as /root); then /var/lib/cleverctl.
 */
export async function choosePlace(home: string, account: Account): Promise<string> {
  if (!account.isOther) return join(home, 'embedded')
  if (await mayReach(account, dirname(home))) {
    // Passing through is all the account needs; what is in the home folder keeps its own mode.
    if (!(await mayPass(account, home))) await chmod(home, 0o711)
    return join(home, 'embedded')
  }
  return join('/var/lib/cleverctl', shortHash(home))
}

/** Makes the folders of a place. Root keeps the outer one and gives the inner one away. */
export async function preparePlace(place: string, account: Account): Promise<void> {
  if (account.isOther) await makePassableFolder(dirname(place))
  await makeFolder(place, 0o700)
  // Whatever the umask is, the server's account must pass.
  if (account.isOther) await chmod(place, 0o711)
  await makePrivateFolder(serverFolder(place), account)
}

/** The folder of the unix socket: the server's own, or one with a short name where that is too long. */
export async function chooseSocketFolder(place: string, account: Account): Promise<string> {
  const inside = serverFolder(place)
  if (Buffer.byteLength(join(inside, `.s.PGSQL.${SOCKET_PORT}`)) <= MAX_SOCKET_PATH) return inside
  const short = join('/tmp', `cleverctl-${account.uid}-${shortHash(place)}`)
  await makePrivateFolder(short, account)
  await checkSocketFolder(short, account.uid)
  return short
}

async function makePassableFolder(folder: string): Promise<void> {
  if (await makeFolder(folder, 0o711)) await chmod(folder, 0o711)
}

async function makePrivateFolder(folder: string, account: Account): Promise<void> {
  await mkdir(folder, { mode: 0o700 }).catch((error: unknown) => {
    if (errorCode(error) !== 'EEXIST') throw error
  })
  if (!account.isOther) return
  const status = await lstat(folder)
  // Still root's: just made, or left by a start that was killed between the two steps.
  if (status.isDirectory() && status.uid === process.getuid?.())
    await chown(folder, account.uid, account.gid)
}

function shortHash(path: string): string {
  return createHash('sha256').update(path).digest('hex').slice(0, 16)
}
