import { deepEqual, rejects } from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { revokeAccess } from '../../src/lib/access/grant/end.js'
import { grantAccess } from '../../src/lib/access/grant/grant.js'
import { systemClock } from '../../src/lib/clock.js'
import type { Database } from '../../src/lib/database/database.js'
import { migrate } from '../../src/lib/database/migrate.js'
import { fileDelivery } from '../../src/lib/secret-file.js'
import { addAccount } from '../../src/lib/staff/add.js'
import type { Workspace } from '../../src/lib/workspace.js'
import { startCluster, startStandby, type Cluster } from '../support/cluster.js'
import { byDsn, openUrl, silentLog, testWorkspace } from '../support/database.js'
import { freePort } from '../support/server.js'

describe('a grant on a primary and its standby', () => {
  let primary: Cluster
  let standby: Cluster
  let database: Database
  let workspace: Workspace
  let folder: string
  const environment = { CLEVERCTL_HOME: '/nonexistent', HOME: '/nonexistent' }
  const dsn = ({ socketFolder, port }: Cluster) =>
    `postgres://postgres@/postgres?host=${encodeURIComponent(socketFolder)}&port=${port}`

  before(async () => {
    primary = await startCluster({
      port: await freePort(),
      settings: ["listen_addresses = '127.0.0.1'"],
      hba: ['local all all trust', 'host all,replication postgres 127.0.0.1/32 trust'],
    })
    standby = await startStandby(primary, await freePort())
    database = await openUrl(dsn(primary), { migrations: 'ignore' })
    await migrate(database, silentLog)
    workspace = testWorkspace(database, { clock: systemClock })
    folder = mkdtempSync(join(tmpdir(), 'cctl-grant-standby-'))
    await addAccount(workspace, {
      ...{ kind: 'staff', handle: 'ana@example.com', description: 'Ana', owner: null },
      ...{ roleNames: ['ana'], networks: [], until: null, isReplaced: false },
    })
  })
  after(async () => {
    await database.close()
    await standby.stop()
    await primary.stop()
    rmSync(folder, { recursive: true })
  })

  it('ends on both, with the sessions on both', async () => {
    const servers = byDsn(dsn(standby), dsn(primary))
    const { role } = await grantAccess(
      workspace,
      {
        ...{ email: 'ana@example.com', forMs: 3_600_000, reason: 'x', databases: ['postgres'] },
        ...{ isReadOnly: true, servers },
      },
      { delivery: fileDelivery(join(folder, 'password')), environment },
    )
    const logIn = async ({ socketFolder, port }: Cluster) => {
      const client = new pg.Client({ host: socketFolder, port, user: role, database: 'postgres' })
      client.on('error', () => undefined)
      await client.connect()
      return client
    }
    // A standby hears of the login a moment later.
    const eventually = async () => {
      for (;;) {
        try {
          return await logIn(standby)
        } catch {
          await new Promise((resolve) => setTimeout(resolve, 50))
        }
      }
    }
    const sessions = [await logIn(primary), await eventually()]
    const { grants } = await revokeAccess(workspace, { email: 'ana@example.com', environment })
    deepEqual(
      grants.map(({ outcome, sessionsEnded, servers: of }) => [outcome, sessionsEnded, of.length]),
      [['ended', 2, 2]],
    )
    for (const session of sessions) await rejects(session.query('select 1'))
    for (const cluster of [primary, standby]) await rejects(logIn(cluster), { code: '28000' })
  })
})
