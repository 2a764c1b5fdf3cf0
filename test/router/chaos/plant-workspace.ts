import { resolveSettings } from '../../../src/lib/config/settings.js'
import { systemClock, systemRandom } from '../../../src/lib/clock.js'
import { workspaceOn } from '../../../src/lib/surroundings.js'
import type { Workspace } from '../../../src/lib/workspace.js'
import type { Plant } from '../rotation/plant.js'

/** The workspace of a plant's home, in this process: its own database connection, the real keyring. */
export async function workspaceOf(plant: Plant): Promise<Workspace> {
  const environment = { CLEVERCTL_HOME: plant.home, CLEVERCTL_DATABASE_URL: plant.fresh.url }
  const settings = await resolveSettings({
    profile: undefined,
    databaseUrl: undefined,
    environment,
  })
  const silent = () => undefined
  return workspaceOn(plant.fresh.database, settings, {
    environment,
    actor: { osUser: 'test', host: 'test', ciJob: undefined },
    clock: systemClock,
    random: systemRandom,
    log: { info: silent, warn: silent, debug: silent, progress: silent },
    signal: new AbortController().signal,
    askPassphrase: () => Promise.reject(new Error('nobody is asked')),
  })
}
