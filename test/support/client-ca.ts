import { chownSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ShownCa } from '../../src/lib/access/ca/types.js'
import { serverAccount } from './cluster.js'
import type { TestServer } from './server.js'

/** What `access ca show` says is to be done on a server, so that it takes certificates of the authority. */
export async function trustClients(
  server: TestServer,
  { certificate, revocationList }: Pick<ShownCa, 'certificate' | 'revocationList'>,
): Promise<void> {
  const file = join(server.cluster.folder, 'data', 'client-ca.pem')
  writeFileSync(file, `${certificate.trim()}\n${revocationList.trim()}\n`, { mode: 0o600 })
  const { uid, gid } = serverAccount()
  if (uid !== undefined && gid !== undefined) chownSync(file, uid, gid)
  for (const setting of ['ssl_ca_file', 'ssl_crl_file'])
    await server.administer(`alter system set ${setting} = 'client-ca.pem'`)
  await loadSettings(server)
}

/** Has a server read its configuration; returns when a new connection is under it. */
export async function loadSettings({ administer }: TestServer): Promise<void> {
  // A connection of its own each time, so what it says is what the next one comes under.
  const loadedAt = async () => {
    const { rows } = await administer('select pg_conf_load_time()::text as at')
    return (rows[0] as { at: string }).at
  }
  const former = await loadedAt()
  await administer('select pg_reload_conf()')
  while ((await loadedAt()) === former) await new Promise((resolve) => setTimeout(resolve, 20))
}
