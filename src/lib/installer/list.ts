import type { Workspace } from '../workspace.js'
import { findInstallations } from './find.js'
import { selectInstallers } from './store.js'
import { type InstallerState, installerState } from './types.js'

/** One installer in a list. */
export interface ListedInstaller {
  email: string
  name: string
  state: InstallerState
  /** Codes of the installations the installer may place devices at. */
  installations: string[]
  /** When the lock-out after wrong passwords ends; absent when there is none. */
  lockedUntil?: string
  disabledAt?: string
  createdAt: string
}

/**
 * All installers by e-mail address, or those assigned to one installation.
 * @throws NotFoundError for an unknown installation
 */
export async function listInstallers(
  workspace: Workspace,
  asked: { installation?: string | undefined },
): Promise<{ installers: ListedInstaller[] }> {
  const { database, clock } = workspace
  if (asked.installation !== undefined) await findInstallations(database, [asked.installation])
  const now = clock.now()
  const rows = await selectInstallers(database, asked.installation)
  return {
    installers: rows.map((row) => {
      const state = installerState(row, now)
      return {
        email: row.email,
        name: row.name,
        state,
        installations: row.installations,
        ...(state === 'locked' && row.lockedUntil
          ? { lockedUntil: row.lockedUntil.toISOString() }
          : {}),
        ...(row.disabledAt ? { disabledAt: row.disabledAt.toISOString() } : {}),
        createdAt: row.createdAt.toISOString(),
      }
    }),
  }
}
