import { lstat, readFile, realpath, stat } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { dirname } from 'node:path'
import { FailureError } from '../../errors.js'

/** Whom the embedded server runs as. PostgreSQL refuses root, so root hands over to another account. */
export interface Account {
  uid: number
  gid: number
  /** Whether it is another account than the one this process has. */
  isOther: boolean
}

/** Accounts that root hands over to, best first: the packages' own, then one that exists everywhere. */
const STAND_INS = ['postgres', 'nobody']

/** The account that will run the server. Throws FailureError where root finds nobody to hand over to. */
export async function serverAccount(): Promise<Account> {
  const uid = process.getuid?.() ?? 0
  const gid = process.getgid?.() ?? 0
  if (uid !== 0) return { uid, gid, isOther: false }
  const passwd = await readFile('/etc/passwd', 'utf8').catch(() => '')
  for (const name of STAND_INS) {
    const entry = passwd.split('\n').find((line) => line.startsWith(`${name}:`))
    const [, , standInUid, standInGid] = entry?.split(':') ?? []
    if (standInUid !== undefined && standInGid !== undefined) {
      return { uid: Number(standInUid), gid: Number(standInGid), isOther: true }
    }
  }
  throw new FailureError(
    'no-account',
    `PostgreSQL does not run as root, and neither account ${STAND_INS.join(' nor ')} exists`,
    { suggestions: ['run cleverctl as a plain user', 'or use a server: --database-url'] },
  )
}

/** The account that an existing server folder was given to; `usual` where there is none yet. */
export async function ownerOf(serverFolder: string, usual: Account): Promise<Account> {
  if (!usual.isOther) return usual
  const status = await lstat(serverFolder).catch(() => undefined)
  if (status === undefined || status.uid === process.getuid?.()) return usual
  return { uid: status.uid, gid: status.gid, isOther: true }
}

/** Names of the system's accounts that may use the embedded database: ours, and root, who may everything. */
export function clientNames(): string[] {
  try {
    return [...new Set([userInfo().username, 'root'])]
  } catch (cause) {
    throw new FailureError('no-account', 'this process runs under a user id that has no name', {
      suggestions: ['add the user id to /etc/passwd', 'or use a server: --database-url'],
      cause,
    })
  }
}

/** Whether `account` may pass through every folder on the way to `path` and through `path` itself. */
export async function mayReach(account: Account, path: string): Promise<boolean> {
  if (!account.isOther) return true
  for (let folder = await realpath(path); ; folder = dirname(folder)) {
    if (!(await mayPass(account, folder))) return false
    if (folder === dirname(folder)) return true
  }
}

/** Whether `account` may pass through this one folder (search permission). */
export async function mayPass(account: Account, folder: string): Promise<boolean> {
  const { mode, uid, gid } = await stat(folder)
  const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001
  return (mode & bit) !== 0
}
