import { execFile, spawn } from 'node:child_process'
import { errorCode } from '../../file-system.js'
import { cancelled } from '../translate.js'
import type { Account } from './account.js'

/** How a program of PostgreSQL ended. */
export interface Outcome {
  /** Exit code; undefined when it could not be run or was killed. */
  code: number | undefined
  stdout: string
  stderr: string
}

interface Given {
  account: Account
  /** A folder that the account may enter. */
  folder: string
  signal?: AbortSignal | undefined
}

/** Only what PostgreSQL needs: the server outlives the command, and secrets of the command's environment with it. */
function options({ account, folder }: Given): {
  cwd: string
  env: NodeJS.ProcessEnv
  uid?: number
  gid?: number
} {
  const env = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }
  return { cwd: folder, env, ...(account.isOther ? { uid: account.uid, gid: account.gid } : {}) }
}

/** Runs a program that ends by itself and keeps what it says. Never throws but when `signal` is aborted. */
export async function runProgram(
  program: string,
  args: readonly string[],
  given: Given,
): Promise<Outcome> {
  const { signal } = given
  return new Promise((resolve, reject) => {
    const settings = { ...options(given), ...(signal === undefined ? {} : { signal }) }
    execFile(program, [...args], settings, (error, stdout, stderr) => {
      if (signal?.aborted) return reject(cancelled(signal))
      if (error === null) return resolve({ code: 0, stdout, stderr })
      resolve({
        code: typeof error.code === 'number' ? error.code : undefined,
        stdout,
        stderr: stderr || error.message,
      })
    })
  })
}

/**
 * Runs a program that leaves another one behind. It gets no pipe of ours: the one left behind would
 * hold it open and keep us waiting.
 * @returns its exit code; undefined when it could not be run
 */
export async function runDetaching(
  program: string,
  args: readonly string[],
  given: Given,
): Promise<number | undefined> {
  return new Promise((resolve) => {
    spawn(program, [...args], { ...options(given), stdio: 'ignore' })
      .on('error', () => resolve(undefined))
      .on('exit', (code) => resolve(code ?? undefined))
  })
}

/** Whether a process exists; one of another account may not be signalled, and is there all the same. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return errorCode(error) === 'EPERM'
  }
}
