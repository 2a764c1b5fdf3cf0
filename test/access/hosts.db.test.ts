import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { auditAccess } from '../../src/lib/access/audit/audit.js'
import type { AccessAudit } from '../../src/lib/access/audit/types.js'
import { revokeAccess } from '../../src/lib/access/grant/end.js'
import { grantAccess } from '../../src/lib/access/grant/grant.js'
import { systemClock } from '../../src/lib/clock.js'
import { ExpectedError, NotFoundError, UnreachableError } from '../../src/lib/errors.js'
import { fileDelivery } from '../../src/lib/secret-file.js'
import { addAccount } from '../../src/lib/staff/add.js'
import type { Workspace } from '../../src/lib/workspace.js'
import type { Cluster } from '../support/cluster.js'
import { freshDatabase, testWorkspace, type FreshDatabase } from '../support/database.js'
import { recordMachine, startMachine } from '../support/database-host.js'
import { freePort } from '../support/server.js'
import { canServeSsh, makeKey, type SshServer } from '../support/ssh.js'
import { startPrimaryAndStandby, type PrimaryAndStandby } from '../support/standby.js'

describe('access to recorded hosts, over SSH', function () {
  this.timeout(60_000)
  let own: FreshDatabase
  let workspace: Workspace
  let folder: string
  let key: string
  let servers: PrimaryAndStandby | undefined
  const clusters: Cluster[] = []
  const machines: SshServer[] = []
  const environment = { CLEVERCTL_HOME: '/nonexistent', HOME: '/nonexistent' }
  const everyHost = { dsns: [], hosts: [], isAllHosts: true }

  const audit = async (hosts: string[] = []): Promise<[AccessAudit, number]> => {
    try {
      const result = await auditAccess(workspace, {
        ...{ servers: { dsns: [], hosts, isAllHosts: hosts.length === 0 }, environment },
        ...{ failOn: 'critical', isProbing: false, sarif: undefined, junit: undefined },
      })
      return [result, 0]
    } catch (error) {
      if (!(error instanceof ExpectedError) || error.result === undefined) throw error
      return [error.result as AccessAudit, error.exitCode]
    }
  }

  before(async function () {
    if (!canServeSsh() || !existsSync('/usr/bin/psql')) return this.skip()
    folder = mkdtempSync(join(tmpdir(), 'cctl-hosts-'))
    key = makeKey(folder, 'operator')
    own = await freshDatabase()
    workspace = testWorkspace(own.database, { clock: systemClock })
    servers = await startPrimaryAndStandby()
    clusters.push(servers.primary, servers.standby)
    for (const [index, cluster] of clusters.entries()) {
      const machine = await startMachine(cluster, key)
      machines.push(machine)
      await recordMachine(workspace, { name: `db${index + 1}`, cluster, machine, key })
    }
    await addAccount(workspace, {
      ...{ kind: 'staff', handle: 'ana@example.com', description: 'Ana', owner: null },
      ...{ roleNames: ['ana'], networks: [], until: null, isReplaced: false },
    })
  })
  after(async () => {
    for (const machine of machines) await machine.stop()
    await servers?.stop()
    await own?.drop()
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  })

  it('is audited on the primary and its standby, each by its name', async () => {
    const formerTmp = process.env['TMPDIR']
    const scratch = mkdtempSync(join(folder, 'tmp-'))
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
        ...{ isReadOnly: true, servers: everyHost },
      },
      { delivery: fileDelivery(join(folder, 'password')), environment },
    )
    deepEqual(granted.servers, ['host:db1', 'host:db2'])
    const { grants } = await revokeAccess(workspace, { email: 'ana@example.com', environment })
    deepEqual(
      grants.map(({ outcome, servers }) => [outcome, servers]),
      [
        [
          'ended',
          [
            { host: 'db1', isClosed: true, reason: null },
            { host: 'db2', isClosed: true, reason: null },
          ],
        ],
      ],
    )
  })

  it('is not called good where a host is out of reach, and the others are looked at', async () => {
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
