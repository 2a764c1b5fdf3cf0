import type { Clock, Random } from './clock.js'
import type { Settings } from './config/settings.js'
import type { Database } from './database/database.js'
import type { Keyring } from './keyring/keyring.js'
import type { Secret } from './secret.js'
import type { Actor } from './trail/actor.js'
import type { Log, Workspace } from './workspace.js'

/** The outside world before a database is open: what a workspace is made of beside it. */
export interface Surroundings {
  readonly environment: NodeJS.ProcessEnv
  readonly actor: Actor
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly signal: AbortSignal
  /** Asks for the keyring's passphrase, only where it is kept by one; for a new one twice. */
  askPassphrase(about?: { isNew: boolean }): Promise<Secret>
}

/** The workspace on an open database. Its keyring is opened on first use. */
export function workspaceOn(
  database: Database,
  settings: Settings,
  surroundings: Surroundings,
): Workspace {
  const { actor, clock, random, log, signal } = surroundings
  let keyring: Promise<Keyring> | undefined
  return {
    database,
    keyring: () => {
      keyring ??= import('./keyring/open.js').then(({ openKeyring }) =>
        openKeyring({ ...surroundings, settings, database }),
      )
      return keyring
    },
    actor,
    clock,
    random,
    log,
    signal,
  }
}
