import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { logIn } from '../../src/lib/host/reach.js'
import { selectHosts } from '../../src/lib/host/store.js'
import type { Workspace } from '../../src/lib/workspace.js'
import { freshDatabase, testWorkspace, type FreshDatabase } from '../support/database.js'
import { recordMachine } from '../support/database-host.js'
import { canServeSsh, makeKey, startSshd, type SshServer } from '../support/ssh.js'
import { until } from '../support/until.js'

describe('logging in to hosts', function () {
  const folder = mkdtempSync(join(tmpdir(), 'cctl-reach-'))
  const connections = new Set<Socket>()
  const silent = createServer((socket) =>
    connections.add(socket.on('error', () => undefined).resume()),
  )
  let fresh: FreshDatabase
  let workspace: Workspace
  let sshd: SshServer | undefined
  const hasSaid = (words: string) => sshd?.log().includes(words) === true

  before(async function () {
    if (!canServeSsh()) return this.skip()
    fresh = await freshDatabase()
    const key = makeKey(folder, 'operator')
    sshd = await startSshd({ keys: [key], settings: ['LogLevel DEBUG1'] })
    await once(silent.listen(0, '127.0.0.1'), 'listening')
    const { port } = silent.address() as AddressInfo
    const cluster = { folder, port: 5432 }
    workspace = testWorkspace(fresh.database)
    await recordMachine(workspace, { name: 'db1', cluster, machine: sshd, key })
    await recordMachine(workspace, { name: 'db2', cluster, machine: { ...sshd, port }, key })
  })
  after(async () => {
    silent.close()
    await sshd?.stop()
    await fresh?.drop()
    rmSync(folder, { recursive: true, force: true })
  })

  it('ends what nobody wants any more: the login that was made, and the one that waits', async () => {
    const hosts = await selectHosts(fresh.database, 'database')
    const logins = logIn(workspace, hosts, {})
    await until(() => hasSaid('Entering interactive session'))
    await until(() => connections.size === 1)
    await logins.close()
    await until(() => hasSaid('do_cleanup'))
    await until(() => [...connections].every(({ closed }) => closed))
  })
})
