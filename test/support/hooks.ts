import { stopSharedCluster } from './database.js'

/** Mocha calls it once, after every file. */
export async function mochaGlobalTeardown(): Promise<void> {
  await stopSharedCluster()
}
