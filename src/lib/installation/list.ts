import type { Workspace } from '../workspace.js'
import { selectInstallationPage, type InstallationWithDevices } from './store.js'
import type { InstallationFacts, InstallationState } from './types.js'

/** An installation as a list shows it. */
export interface ListedInstallation extends InstallationFacts {
  state: InstallationState
  /** How many devices stand there. */
  devices: number
  createdAt: string
  retiredAt: string | null
}

/** A page of installations. */
export interface InstallationPage {
  installations: ListedInstallation[]
  /** Where the next page begins; absent on the last one. */
  nextCursor?: string
}

/** Installations by code, a page at a time. */
export async function listInstallations(
  workspace: Workspace,
  asked: {
    state?: InstallationState | undefined
    codePrefix?: string | undefined
    limit: number
    cursor?: string | undefined
  },
): Promise<InstallationPage> {
  const rows = await selectInstallationPage(workspace.database, {
    state: asked.state,
    codePrefix: asked.codePrefix,
    after: asked.cursor,
    limit: asked.limit + 1,
  })
  const installations = rows.slice(0, asked.limit).map(showInstallation)
  const last = rows.length > asked.limit ? installations.at(-1) : undefined
  return { installations, ...(last && { nextCursor: last.code }) }
}

/** A row as results show it. */
export function showInstallation(row: InstallationWithDevices): ListedInstallation {
  const { code, name, timezone, latitude, longitude, devices, createdAt, retiredAt } = row
  return {
    code,
    name,
    timezone,
    latitude,
    longitude,
    state: retiredAt ? 'retired' : 'active',
    devices,
    createdAt: createdAt.toISOString(),
    retiredAt: retiredAt?.toISOString() ?? null,
  }
}
