import { systemClock, systemRandom } from '../clock.js'
import { resolveSettings } from '../config/settings.js'
import { openDatabase } from '../database/open.js'
import type { Database } from '../database/database.js'
import type { Keyring } from '../keyring/keyring.js'
import type { Secret } from '../secret.js'
import type { Log, Workspace } from '../workspace.js'
import { currentActor } from './actor.js'

/** What a command line says about the workspace it wants. */
export interface WorkspaceOptions {
  profile: string | undefined
  databaseUrl: string | undefined
  log: Log
  signal: AbortSignal
  /** Asked for the keyring's passphrase, only where it is kept by one. */
  askPassphrase: () => Promise<Secret>
}

/** Opens the database that the settings name and puts the outside world together. Close its database when done. */
export async function openWorkspace(options: WorkspaceOptions): Promise<Workspace> {
  const { profile, databaseUrl, log, signal, askPassphrase } = options
  const settings = await resolveSettings({ profile, databaseUrl, environment: process.env })
  const database: Database = await openDatabase(settings, { log, signal })
  let keyring: Promise<Keyring> | undefined
  return {
    database,
    keyring: () => {
      keyring ??= import('../keyring/open.js').then(({ openKeyring }) =>
        openKeyring({ settings, database, askPassphrase }),
      )
      return keyring
    },
    actor: currentActor(process.env),
    clock: systemClock,
    random: systemRandom,
    log,
    signal,
  }
}
