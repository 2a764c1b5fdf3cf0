import { stopSharedCluster } from './database.js'
import { stopMachines } from './router/machine.js'

/** Mocha calls it once, after every file. */
export async function mochaGlobalTeardown(): Promise<void> {
  await stopMachines()
  await stopSharedCluster()
}
