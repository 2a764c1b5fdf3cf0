import { EstateCommands } from './commands.js'
import { canRunEstate } from './estate.js'

/**
 * Brings an estate up before the tests of a suite, and down after them; where none can run, they are left out.
 * @param prepare gets it before the first test
 * @param given as `Estate.up` takes it
 */
export function withEstate(
  prepare: (commands: EstateCommands) => Promise<unknown>,
  given: { isBare?: boolean } = {},
): void {
  let commands: EstateCommands | undefined
  before(async function () {
    if (!canRunEstate()) return this.skip()
    commands = await EstateCommands.up(given)
    await prepare(commands)
  })
  after(async () => {
    await commands?.down()
  })
}
