import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { addHost } from '../../src/lib/host/add.js'
import { Secret } from '../../src/lib/secret.js'
import { parseIdentity } from '../../src/lib/ssh/identity.js'
import type { Workspace } from '../../src/lib/workspace.js'
import type { Cluster } from './cluster.js'
import { ACCOUNT, startSshd, type SshServer } from './ssh.js'

/** An SSH server that is the machine of a cluster: psql there reaches the cluster as its superuser. */
export async function startMachine(cluster: Cluster, key: string): Promise<SshServer> {
  const settings = [`SetEnv PGHOST=${cluster.socketFolder} PGUSER=postgres`]
  return startSshd({ keys: [key], settings })
}

/** Records it as a database host, without looking at it. @param key path of the private key that opens it */
export async function recordMachine(
  workspace: Workspace,
  given: { name: string; cluster: Cluster; machine: Omit<SshServer, 'stop' | 'log'>; key: string },
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
