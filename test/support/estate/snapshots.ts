import type { SnapshotDriver } from '../../../src/lib/host/types.js'
import type { EstateCommands } from './commands.js'
import type { MachineName } from './estate.js'

/** Where snapshots are kept on every database machine, on the disk that the data are on. */
export const PLACE = '/disk/snapshots'
/** The database machines. */
export const DATABASES = ['db1', 'db2', 'db3'] as const

/** Flags of `host add` for a machine that makes snapshots. */
export const snapshotFlags = (driver: SnapshotDriver = 'btrfs') => [
  ...['--snapshot-driver', driver, '--snapshot-directory', PLACE],
]

/** Runs on a machine what `host prepare` prints for it, as its administrator would. @returns what it says */
export async function prepare(commands: EstateCommands, name: MachineName): Promise<string[]> {
  const { script } = await commands.json(['host', 'prepare', name])
  const machine = commands.estate.machine(name)
  return (await machine.run('root', ['sh', '-s'], String(script))).trim().split('\n')
}
