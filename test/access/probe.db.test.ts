import { deepEqual, ok } from 'node:assert/strict'
import { readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { auditAccess } from '../../src/lib/access/audit/audit.js'
import type { AccessAudit } from '../../src/lib/access/audit/types.js'
import type { Database } from '../../src/lib/database/database.js'
import { systemClock } from '../../src/lib/clock.js'
import { ExpectedError } from '../../src/lib/errors.js'
import { addAccount } from '../../src/lib/staff/add.js'
import type { Workspace } from '../../src/lib/workspace.js'
import { byDsn, databaseUrl, openUrl, testWorkspace } from '../support/database.js'
import { startServer, type TestServer } from '../support/server.js'

const CLEAN = [
  'local all postgres trust',
  'hostssl all owner 127.0.0.1/32 scram-sha-256',
  'host all all all reject',
]

describe('connections that an audit tries', () => {
  let server: TestServer
  let database: Database
  let workspace: Workspace

  const file = () => join(server.cluster.folder, 'data', 'pg_hba.conf')
  const socket = () => databaseUrl(server.cluster, 'cleverctl')

  before(async () => {
    server = await startServer()
    await server.administer('alter role owner superuser')
    await server.administer('create role stranger login')
    database = await openUrl(socket())
    workspace = testWorkspace(database, { clock: systemClock })
    const common = { isReplaced: false, until: null, networks: ['127.0.0.1'], description: 'x' }
    await addAccount(workspace, {
      ...{ ...common, kind: 'staff', handle: 'engineer@example.com', owner: null },
      roleNames: ['staff', 'auditor', 'postgres'],
    })
    await addAccount(workspace, {
      ...{ ...common, kind: 'service-account', handle: 'programs' },
      ...{ owner: 'engineer@example.com', roleNames: ['owner', 'gate'] },
    })
  })
  after(async () => {
    await database.close()
    await server.stop()
  })

  /** Rules of probes and the roles they name, with these lines in force before all others. */
  async function probe(
    lines: readonly string[],
    dsn = `postgres://owner@127.0.0.1:${server.port}/cleverctl`,
  ): Promise<{ found: string[]; audit: AccessAudit }> {
    const { PGPASSFILE = '', PGSSLROOTCERT = '' } = server.environment('owner')
    writeFileSync(PGPASSFILE, readFileSync(PGPASSFILE, 'utf8').replaceAll('localhost:', '*:'))
    writeFileSync(file(), `${[...lines, ...CLEAN].join('\n')}\n`)
    await server.administer('select pg_reload_conf()')
    await new Promise((resolve) => setTimeout(resolve, 200))
    const asked = {
      servers: byDsn(dsn),
      environment: {
        CLEVERCTL_HOME: '/nonexistent',
        HOME: '/nonexistent',
        PGPASSFILE,
        PGSSLROOTCERT,
      },
      failOn: 'medium' as const,
      isProbing: true,
      sarif: undefined,
      junit: undefined,
    }
    const audit = await auditAccess(workspace, asked).catch((error: unknown) => {
      if (error instanceof ExpectedError && error.result) return error.result as AccessAudit
      throw error
    })
    const found = audit.findings
      .filter(({ rule }) => rule.startsWith('probe-'))
      .map(({ rule, subject }) => `${rule}: ${subject}`)
      .sort()
    return { found, audit }
  }

  it('are refused where the rules are right', async () => {
    const { found, audit } = await probe([])
    deepEqual([found, audit.notChecked], [[], []])
  })

  it('show plaintext that is let in', async () => {
    const { found } = await probe([
      'host cleverctl,postgres staff 127.0.0.1/32 scram-sha-256',
      'host replication gate 127.0.0.1/32 scram-sha-256',
    ])
    deepEqual(found, [
      'probe-plaintext: role gate to replication',
      'probe-plaintext: role staff to cleverctl',
      'probe-plaintext: role staff to postgres',
    ])
  })

  it('show that a stranger is listened to, and a role of nobody', async () => {
    const { found } = await probe(['hostssl cleverctl all 127.0.0.1/32 scram-sha-256'])
    deepEqual(found, [
      'probe-nobody: role cleverctl_probe_of_a_stranger to cleverctl',
      'probe-nobody: role stranger to cleverctl',
    ])
  })

  it('show who may replicate and is no program', async () => {
    const { found } = await probe(['hostssl replication gate,staff 127.0.0.1/32 scram-sha-256'])
    deepEqual(found, ['probe-replication: role staff to replication'])
  })

  it('show that somebody gets in without any proof', async () => {
    const { found } = await probe(['hostssl replication,cleverctl stranger 127.0.0.1/32 trust'])
    deepEqual(found, [
      'probe-nobody: role stranger to cleverctl',
      'probe-nobody: role stranger to replication',
      'probe-replication: role stranger to replication',
    ])
  })

  it('show a server that does something else than its file says, whatever the times of the file', async () => {
    await probe(['hostssl cleverctl staff 127.0.0.1/32 scram-sha-256'])
    const former = new Date(Date.now() - 3_600_000)
    const blind = server.administer
    server.administer = async (statement, values) => {
      // The file is changed and dated back, and the server is not told.
      utimesSync(file(), former, former)
      return statement.includes('reload') ? blind('select 1') : blind(statement, values)
    }
    const { found } = await probe([]).finally(() => {
      server.administer = blind
    })
    deepEqual(found, ['probe-differs: role staff to cleverctl'])
  })

  it('are not called refused where none can be tried', async () => {
    const { audit } = await probe([], socket())
    deepEqual(
      audit.notChecked.map(({ rule }) => rule),
      ['probe-differs', 'probe-nobody', 'probe-plaintext', 'probe-replication'],
    )
  })

  it('bring no password along', () => {
    ok(!readFileSync(server.cluster.logFile, 'utf8').includes('password authentication failed'))
  })
})
