import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../src/lib/clock.js'
import { addHost } from '../../src/lib/host/add.js'
import { Secret } from '../../src/lib/secret.js'
import { parseIdentity } from '../../src/lib/ssh/identity.js'
import type { Workspace } from '../../src/lib/workspace.js'
import type { Cluster } from './cluster.js'
import { freshDatabase, testWorkspace, type FreshDatabase } from './database.js'
import { ACCOUNT, canServeSsh, makeKey, startSshd, type SshServer } from './ssh.js'

/** An SSH server that is the machine of a cluster: psql there reaches the cluster as its superuser. */
async function startMachine(cluster: Cluster, key: string): Promise<SshServer> {
  const settings = [`SetEnv PGHOST=${cluster.socketFolder} PGUSER=postgres`]
  return startSshd({ keys: [key], settings })
}

/** Records it as a database host, without looking at it. @param key path of the private key that opens it */
export async function recordMachine(
  workspace: Workspace,
  given: {
    name: string
    cluster: Pick<Cluster, 'folder' | 'port'>
    machine: Omit<SshServer, 'stop' | 'cut' | 'log'>
    key: string
  },
): Promise<void> {
  const { name, cluster, machine, key } = given
  await addHost(
    workspace,
    {
      ...{ name, role: 'database', address: machine.address, port: machine.port },
      ...{ username: ACCOUNT, location: null, stanza: 'main', snapshot: null, basebackup: null },
      ...{ isReplacing: false, isOffline: true },
      postgresql: { port: cluster.port, dataDirectory: join(cluster.folder, 'data') },
      fingerprint: machine.hostKey.fingerprint,
      hostKeyType: machine.hostKey.type,
      identity: await parseIdentity(new Secret(readFileSync(key, 'utf8')), undefined, key),
    },
    { environment: {}, approve: async () => undefined },
  )
}

/** Clusters on machines of their own, which are recorded as database hosts. */
export class DatabaseHosts {
  readonly folder = mkdtempSync(join(tmpdir(), 'cctl-hosts-'))
  /** Path of the private key that opens the machines. */
  readonly key = makeKey(this.folder, 'operator')
  readonly clusters: Cluster[] = []
  readonly machines: SshServer[] = []
  readonly workspace: Workspace
  readonly #own: FreshDatabase

  private constructor(own: FreshDatabase) {
    this.#own = own
    this.workspace = testWorkspace(own.database, { clock: systemClock })
  }

  /** None yet, in a database of their own. */
  static async make(): Promise<DatabaseHosts> {
    return new DatabaseHosts(await freshDatabase())
  }

  /** Gives a cluster a machine and records it; the cluster is stopped with the others. */
  async add(name: string, cluster: Cluster): Promise<void> {
    this.clusters.push(cluster)
    const machine = await startMachine(cluster, this.key)
    this.machines.push(machine)
    await recordMachine(this.workspace, { name, cluster, machine, key: this.key })
  }

  /** Stops everything, standbys before their primary, and removes it. */
  async remove(): Promise<void> {
    for (const machine of this.machines) await machine.stop()
    for (const cluster of this.clusters.reverse()) await cluster.stop()
    await this.#own.drop()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/**
 * Makes hosts before the tests of a suite, and removes them after; where none can run, the tests are left out.
 * @param prepare gets them before the first test, and adds those that the tests want
 */
export function withDatabaseHosts(prepare: (hosts: DatabaseHosts) => Promise<unknown>): void {
  let hosts: DatabaseHosts | undefined
  before(async function () {
    if (!canServeSsh() || !existsSync('/usr/bin/psql')) return this.skip()
    hosts = await DatabaseHosts.make()
    await prepare(hosts)
  })
  after(async () => {
    await hosts?.remove()
  })
}
