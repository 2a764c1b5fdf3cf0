import { chownSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { quietEnvironment, runAside } from './measure.js'

/** What a chapter works with in a home of its own. */
export interface FreshHome {
  env: NodeJS.ProcessEnv
  /** The home, in which its other files may lie as well. */
  directory: string
}

/**
 * Works in an empty home with a database of its own, which are gone afterwards. The home lies where the account of
 * root's server comes to, so that the database is in it.
 * @param account who uses it; this process's own where absent
 */
export async function inFreshHome<Result>(
  program: readonly string[],
  work: (home: FreshHome) => Result | Promise<Result>,
  account: { uid?: number; gid?: number } = {},
): Promise<Result> {
  const directory = mkdtempSync(join(tmpdir(), 'cleverctl-bench-home-'))
  if (account.uid !== undefined && account.gid !== undefined)
    chownSync(directory, account.uid, account.gid)
  const env = quietEnvironment({ CLEVERCTL_HOME: directory, HOME: directory })
  try {
    return await work({ env, directory })
  } finally {
    await runAside([...program, 'database', 'stop', '--json'], { env, ...account })
    rmSync(directory, { recursive: true, force: true })
  }
}
