import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { revokeAccess } from '../../src/lib/access/grant/end.js'
import { grantAccess } from '../../src/lib/access/grant/grant.js'
import { setHbaLines } from '../../src/lib/access/hba/change.js'
import { systemClock } from '../../src/lib/clock.js'
import type { Database } from '../../src/lib/database/database.js'
import { migrate } from '../../src/lib/database/migrate.js'
import { fileDelivery } from '../../src/lib/file-delivery.js'
import { addAccount } from '../../src/lib/staff/add.js'
import type { Workspace } from '../../src/lib/workspace.js'
import type { Cluster } from '../support/cluster.js'
import { byDsn, HOMELESS, openUrl, silentLog, testWorkspace } from '../support/database.js'
import { socketUrl, startPrimaryAndStandby, type PrimaryAndStandby } from '../support/standby.js'

describe('a grant on a primary and its standby', () => {
  let servers: PrimaryAndStandby
  let primary: Cluster
  let standby: Cluster
  let database: Database
  let workspace: Workspace
  let folder: string
  const environment = HOMELESS

  before(async () => {
    servers = await startPrimaryAndStandby()
    primary = servers.primary
    standby = servers.standby
    database = await openUrl(socketUrl(primary), { migrations: 'ignore' })
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
    await servers.stop()
    rmSync(folder, { recursive: true })
  })

  it('ends on both, with the sessions on both', async () => {
    const named = byDsn(socketUrl(standby), socketUrl(primary))
    const { role } = await grantAccess(
      workspace,
      {
        ...{ email: 'ana@example.com', forMs: 3_600_000, reason: 'x', databases: ['postgres'] },
        ...{ isReadOnly: true, method: 'password', servers: named },
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

  it('has its lines in the file of a standby, and the former ones where the server does not take them', async () => {
    const hba = join(standby.folder, 'data', 'pg_hba.conf')
    const former = readFileSync(hba, 'utf8')
    const server = {
      host: 'standby',
      database: await openUrl(socketUrl(standby), { migrations: 'ignore' }),
    }
    const set = async (...lines: string[]) => setHbaLines(server, { role: 'r', lines }, workspace)
    try {
      await set('host all "r" 127.0.0.1/32 scram-sha-256')
      ok(readFileSync(hba, 'utf8').includes('"r"'))
      await set()
      equal(readFileSync(hba, 'utf8'), former)
      // Without TLS on the server such a line lets nobody in.
      await rejects(set('hostssl all "r" 127.0.0.1/32 scram-sha-256'), { code: 'hba-not-changed' })
      equal(readFileSync(hba, 'utf8'), former)
    } finally {
      await server.database.close()
    }
  })

  it('never locks out who grants it', async () => {
    const hba = join(primary.folder, 'data', 'pg_hba.conf')
    const former = readFileSync(hba, 'utf8')
    const url = `postgres://postgres@127.0.0.1:${primary.port}/postgres?sslmode=disable`
    const server = { host: 'primary', database: await openUrl(url, { migrations: 'ignore' }) }
    const lines = ['host all "postgres" all reject']
    try {
      await rejects(setHbaLines(server, { role: 'postgres', lines }, workspace), {
        code: 'hba-not-changed',
      })
      equal(readFileSync(hba, 'utf8'), former)
    } finally {
      await server.database.close()
    }
    // The server has read the former rules again.
    const other = await openUrl(url, { migrations: 'ignore' })
    await other.query('select 1').finally(async () => other.close())
  })
})
