import { startCluster, startStandby, type Cluster } from './cluster.js'
import { freePort } from '../../src/lib/free-port.js'

/** A primary on 127.0.0.1, without TLS, and a standby that follows it; everybody is trusted at their unix sockets. */
export interface PrimaryAndStandby {
  primary: Cluster
  standby: Cluster
  stop(): Promise<void>
}

/** Starts both; `postgres` may come and replicate over 127.0.0.1 without a password. */
export async function startPrimaryAndStandby(): Promise<PrimaryAndStandby> {
  const primary = await startCluster({
    port: await freePort(),
    settings: ["listen_addresses = '127.0.0.1'"],
    hba: ['local all all trust', 'host all,replication postgres 127.0.0.1/32 trust'],
  })
  const standby = await startStandby(primary, await freePort())
  return {
    primary,
    standby,
    stop: async () => {
      await standby.stop()
      await primary.stop()
    },
  }
}

/** The URL of a cluster's database `postgres` by its unix socket. */
export function socketUrl({ socketFolder, port }: Cluster, role = 'postgres'): string {
  return `postgres://${role}@/postgres?host=${encodeURIComponent(socketFolder)}&port=${port}`
}
