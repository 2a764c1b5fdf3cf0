import { lstat, readFile, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { RefusedError } from '../../errors.js'
import { errorCode, writeWhole } from '../../file-system.js'
import { isObject } from '../../json.js'

/** The programs of one PostgreSQL. */
export interface Programs {
  /** Holds `initdb`, `pg_ctl` and `postgres`. */
  folder: string
  /** How they were found. */
  origin: 'CLEVERCTL_POSTGRES_BIN' | 'system' | 'npm'
  major: number
}

/** What a command must know to find the running server. Written after each start, read by every command. */
export interface State {
  /** The home folder this was written for; in a copy of it the rest would lead to the original. */
  home: string
  /** The folder with the server's settings and, in it, the server's own folder. */
  place: string
  /** Where its unix socket is; 0700. */
  socketFolder: string
  /** Whom the server runs as. */
  uid: number
  programs: Programs
}

/** The file in the home folder. */
function stateFile(home: string): string {
  return join(home, 'embedded.json')
}

/** The state after the last start; undefined before the first, or when the file is damaged or a copy. */
export async function readState(home: string): Promise<State | undefined> {
  let value: unknown
  try {
    value = JSON.parse(await readFile(stateFile(home), 'utf8'))
  } catch (error) {
    if (errorCode(error) === 'EACCES') {
      throw new RefusedError('home-of-another', `${stateFile(home)} belongs to another account`, {
        suggestions: ['run cleverctl as the owner of that folder, or set CLEVERCTL_HOME'],
      })
    }
    return undefined
  }
  return isState(value) && value.home === (await realpath(home)) ? value : undefined
}

/** Replaces the file whole. */
export async function writeState(home: string, state: State): Promise<void> {
  await writeWhole(stateFile(home), `${JSON.stringify(state, null, 2)}\n`, 0o600)
}

/**
 * Makes sure that the socket's folder belongs to the server's account alone: in a shared place such
 * as /tmp, somebody else could have put a server of his own there.
 * @returns false when the folder is not there
 */
export async function checkSocketFolder(folder: string, uid: number): Promise<boolean> {
  const status = await lstat(folder).catch(() => undefined)
  if (status === undefined) return false
  if (!status.isDirectory() || status.uid !== uid || (status.mode & 0o077) !== 0) {
    throw new RefusedError(
      'socket-folder-open',
      `${folder} is not a private folder of the embedded database`,
      {
        suggestions: [`look at who made ${folder} and remove it`],
      },
    )
  }
  return true
}

function isState(value: unknown): value is State {
  if (!isObject(value) || !isObject(value['programs'])) return false
  const { home, place, socketFolder, uid, programs } = value
  return (
    [home, place, socketFolder, programs['folder'], programs['origin']].every(
      (text) => typeof text === 'string',
    ) && [uid, programs['major']].every(Number.isInteger)
  )
}
