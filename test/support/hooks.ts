import { stopSharedCluster } from './database.js'
import { stopMachines } from './router/machine.js'

/** At the end of a process, or of each file where mocha ends processes by itself, as it does with `--parallel`. */
export const mochaHooks = { afterAll: stopMachines }

/** After every file. Where files run side by side, each process's watchdog stops its cluster instead. */
export async function mochaGlobalTeardown(): Promise<void> {
  await stopSharedCluster()
}
