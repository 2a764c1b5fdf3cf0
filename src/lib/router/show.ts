import type { JumpHost } from '../ssh/types.js'
import type { Workspace } from '../workspace.js'
import { listedRouter, type ListedRouter } from './list.js'
import { selectOverlap } from './rotation/overlap-store.js'
import { selectCredentials, selectRouter } from './store.js'
import { unknownRouter, type CredentialKind } from './types.js'

/** A version of a secret, without the secret. */
export interface ShownCredential {
  kind: CredentialKind
  version: number
  state: string
  origin: 'adopted' | 'generated'
  /** Who logs in with it, or the SSID. */
  name: string
  createdAt: string
  retiredAt: string | null
}

/** Everything about a router that is no secret. */
export interface ShownRouter extends Omit<ListedRouter, 'jumps'> {
  jumps: JumpHost[]
  credentials: ShownCredential[]
  /** While a former Wi-Fi passphrase works beside the new one: until when, and which loggers have not moved. */
  overlap: { until: string; loggers: number; moved: number; waiting: string[] } | null
}

/** The router of an installation. Throws NotFoundError where none is recorded. */
export async function getRouter(
  { database }: Workspace,
  { installation }: { installation: string },
): Promise<ShownRouter> {
  const row = await selectRouter(database, installation)
  if (row === undefined) throw unknownRouter(installation)
  const credentials = await selectCredentials(database, row.id)
  const overlap = await selectOverlap(database, row.id)
  return {
    ...listedRouter(row),
    jumps: [...row.jumps],
    credentials: credentials.map(({ createdAt, retiredAt, ...credential }) => ({
      ...credential,
      createdAt: createdAt.toISOString(),
      retiredAt: retiredAt?.toISOString() ?? null,
    })),
    overlap: overlap ? { ...overlap, until: overlap.until.toISOString() } : null,
  }
}
