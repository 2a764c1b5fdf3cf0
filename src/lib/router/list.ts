import type { HostKey } from '../ssh/types.js'
import type { Workspace } from '../workspace.js'
import { selectRouterPage, type RouterRow } from './store.js'
import type { RouterDriver, RouterLogin } from './types.js'

/** A router as a list shows it. */
export interface ListedRouter {
  installation: string
  driver: RouterDriver
  address: string
  port: number
  username: string
  login: RouterLogin
  hostKey: HostKey
  /** How many hosts are on the way to it. */
  jumps: number
  addedAt: string
  /** When its credential was last seen to open it; null: never. */
  verifiedAt: string | null
}

/** A page of routers. */
export interface RouterPage {
  routers: ListedRouter[]
  /** Where the next page begins; absent on the last one. */
  nextCursor?: string
}

/** Routers by the code of their installation, a page at a time. */
export async function listRouters(
  { database }: Workspace,
  asked: { driver?: RouterDriver | undefined; limit: number; cursor?: string | undefined },
): Promise<RouterPage> {
  const { driver, limit, cursor } = asked
  const rows = await selectRouterPage(database, { driver, after: cursor, limit: limit + 1 })
  const routers = rows.slice(0, limit).map(listedRouter)
  const last = rows.length > limit ? routers.at(-1) : undefined
  return { routers, ...(last && { nextCursor: last.installation }) }
}

/** A row as results show it. */
export function listedRouter(row: RouterRow): ListedRouter {
  const { installation, driver, address, port, username, login, hostKey } = row
  return {
    installation,
    driver,
    address,
    port,
    username,
    login,
    hostKey,
    jumps: row.jumps.length,
    addedAt: row.addedAt.toISOString(),
    verifiedAt: row.verifiedAt?.toISOString() ?? null,
  }
}
