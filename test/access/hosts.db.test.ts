import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { mkdtempSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { auditAccess } from '../../src/lib/access/audit/audit.js'
import type { AccessAudit } from '../../src/lib/access/audit/types.js'
import { plantCanaries } from '../../src/lib/access/canary/plant.js'
import { removeCanary } from '../../src/lib/access/canary/remove.js'
import { revokeAccess } from '../../src/lib/access/grant/end.js'
import { grantAccess } from '../../src/lib/access/grant/grant.js'
import {
  ConflictError,
  ExpectedError,
  NotFoundError,
  UnreachableError,
} from '../../src/lib/errors.js'
import { fileDelivery } from '../../src/lib/file-delivery.js'
import { addAccount } from '../../src/lib/staff/add.js'
import type { Workspace } from '../../src/lib/workspace.js'
import { HOMELESS } from '../support/database.js'
import type { Cluster } from '../support/cluster.js'
import { recordMachine, withDatabaseHosts, type DatabaseHosts } from '../support/database-host.js'
import { freePort } from '../../src/lib/free-port.js'
import type { SshServer } from '../support/ssh.js'
import { startPrimaryAndStandby } from '../support/standby.js'

describe('access to recorded hosts, over SSH', () => {
  let hosts: DatabaseHosts
  let workspace: Workspace
  const environment = HOMELESS
  const everyHost = { dsns: [], hosts: [], isAllHosts: true }

  const audit = async (names: string[] = []): Promise<[AccessAudit, number]> => {
    try {
      const result = await auditAccess(workspace, {
        ...{ servers: { dsns: [], hosts: names, isAllHosts: names.length === 0 }, environment },
        ...{ failOn: 'critical', isProbing: false, sarif: undefined, junit: undefined },
      })
      return [result, 0]
    } catch (error) {
      if (!(error instanceof ExpectedError) || error.result === undefined) throw error
      return [error.result as AccessAudit, error.exitCode]
    }
  }

  withDatabaseHosts(async (up) => {
    hosts = up
    workspace = up.workspace
    const { primary, standby } = await startPrimaryAndStandby()
    await hosts.add('db1', primary)
    await hosts.add('db2', standby)
    await addAccount(workspace, {
      ...{ kind: 'staff', handle: 'ana@example.com', description: 'Ana', owner: null },
      ...{ roleNames: ['ana'], networks: [], until: null, isReplaced: false },
    })
  })

  it('is audited on the primary and its standby, each by its name', async () => {
    const formerTmp = process.env['TMPDIR']
    const scratch = mkdtempSync(join(hosts.folder, 'tmp-'))
    process.env['TMPDIR'] = scratch
    const [found, exitCode] = await audit().finally(() => {
      if (formerTmp === undefined) delete process.env['TMPDIR']
      else process.env['TMPDIR'] = formerTmp
    })
    deepEqual(readdirSync(scratch), [], 'a tunnel leaves nothing behind')
    equal(exitCode, 8)
    deepEqual(
      found.hosts.map(({ host, isStandby }) => [host, isStandby]),
      [
        ['db1', false],
        ['db2', true],
      ],
    )
    for (const host of ['db1', 'db2'])
      ok(found.findings.some((each) => each.rule === 'role-nobody' && each.host === host))
    deepEqual(found.notChecked, [])
  })

  it('is granted on the primary and ends on both', async () => {
    const granted = await grantAccess(
      workspace,
      {
        ...{ email: 'ana@example.com', forMs: 3_600_000, reason: 'x', databases: ['postgres'] },
        ...{ isReadOnly: true, method: 'password', servers: everyHost },
      },
      { delivery: fileDelivery(join(hosts.folder, 'password')), environment },
    )
    deepEqual(granted.servers, ['host:db1', 'host:db2'])
    const { grants } = await revokeAccess(workspace, { email: 'ana@example.com', environment })
    deepEqual(
      grants.map(({ outcome, servers }) => [outcome, servers]),
      [
        [
          'ended',
          [
            { host: 'db1', isClosed: true, reason: null, isRevoked: null },
            { host: 'db2', isClosed: true, reason: null, isRevoked: null },
          ],
        ],
      ],
    )
  })

  it('has decoys on the primary, which are removed by what is written down', async () => {
    const plant = async (host: string) =>
      plantCanaries(
        workspace,
        {
          ...{ role: 'backup_admin', table: 'api_credentials', database: 'postgres' },
          servers: { dsns: [], hosts: [host], isAllHosts: false },
        },
        environment,
      )
    const { canaries } = await plant('db1')
    deepEqual(
      canaries.map(({ kind, server, outcome }) => [kind, server, outcome]),
      [
        ['role', 'host:db1', 'planted'],
        ['table', 'host:db1', 'planted'],
      ],
    )
    for (const { id } of canaries)
      equal((await removeCanary(workspace, { id, environment })).outcome, 'removed')
    await rejects(plant('db2'), ConflictError)
    await rejects(plant('db9'), NotFoundError)
  })

  it('is not called good where a host is out of reach, and the others are looked at', async () => {
    const { clusters, machines, key } = hosts
    const [cluster, machine] = [clusters[0] as Cluster, machines[0] as SshServer]
    const nowhere = { ...machine, port: await freePort() }
    await recordMachine(workspace, { name: 'db3', cluster, machine: nowhere, key })
    const [found] = await audit()
    deepEqual(
      found.notChecked.map(({ rule, host }) => [rule, host]),
      [['all', 'db3']],
    )
    equal(found.hosts.length, 2)
    const [alone, exitCode] = await audit(['db3'])
    equal(exitCode, new UnreachableError('x', 'x').exitCode)
    deepEqual(alone.hosts, [])
    await rejects(audit(['db9']), NotFoundError)
  })
})
