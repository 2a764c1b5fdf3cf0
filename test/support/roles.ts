import type { Database } from '../../src/lib/database/database.js'
import { uniqueName } from './cluster.js'
import { type FreshDatabase, openUrl } from './database.js'

/** A test's database, opened by a login role with the rights of one group role and no others. */
export interface RoleDatabase {
  /** The login role's name. */
  role: string
  /** For CLEVERCTL_DATABASE_URL. */
  url: string
  database: Database
  /** Closes it and removes the role. */
  close(): Promise<void>
}

/** Opens a test's database as a new member of a group role, as a gate or a member of staff would. */
export async function roleDatabase(
  fresh: FreshDatabase,
  group: 'cleverctl_gate' | 'cleverctl_staff' | 'cleverctl_auditor',
): Promise<RoleDatabase> {
  const role = uniqueName('login')
  await fresh.database.query(`create role ${role} login in role ${group}`)
  const url = fresh.url.replace('//postgres@', `//${role}@`)
  const database = await openUrl(url)
  return {
    role,
    url,
    database,
    close: async () => {
      await database.close()
      await fresh.database.query(`drop role ${role}`)
    },
  }
}
