import type { Workspace } from '../workspace.js'
import { selectHost, selectHosts, type HostRow } from './store.js'
import { unknownHost, type HostFacts, type HostRole } from './types.js'

/** A host as lists show it. */
export interface ListedHost extends HostFacts {
  /** `SHA256:…` of the public key whose private one opens it; null: the ssh-agent has it. */
  identity: string | null
  addedAt: string
  /** When its login was last seen to work; null: never. */
  verifiedAt: string | null
}

/** Every host, databases first, by name. */
export async function listHosts(
  { database }: Workspace,
  { role }: { role: HostRole | undefined },
): Promise<{ hosts: ListedHost[] }> {
  return { hosts: (await selectHosts(database, role)).map(listed) }
}

/** One host. Throws NotFoundError. */
export async function getHost(
  { database }: Workspace,
  { name }: { name: string },
): Promise<ListedHost> {
  const host = await selectHost(database, name)
  if (host === undefined) throw unknownHost(name)
  return listed(host)
}

function listed({ id: _id, addedAt, verifiedAt, ...facts }: HostRow): ListedHost {
  return {
    ...facts,
    addedAt: addedAt.toISOString(),
    verifiedAt: verifiedAt?.toISOString() ?? null,
  }
}
