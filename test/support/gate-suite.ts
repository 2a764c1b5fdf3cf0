import { freshDatabase, type FreshDatabase } from './database.js'
import { preparePlant, type TestPlant } from './plant.js'
import { startTestGate, type TestGate } from './gate.js'

/** What the tests of a suite share. */
export interface GateSuite {
  fresh: FreshDatabase
  plant: TestPlant
  gate: TestGate
}

/**
 * Starts a gate over a plant in a database of its own before the tests of a suite, and ends it after them.
 * @param prepare gets it before the first test
 */
export function withGate(prepare: (up: GateSuite) => Promise<unknown> | void): void {
  let fresh: FreshDatabase | undefined
  let gate: TestGate | undefined
  before(async () => {
    fresh = await freshDatabase()
    const plant = await preparePlant(fresh.database)
    gate = await startTestGate(plant.workspace)
    await prepare({ fresh, plant, gate })
  })
  after(async () => {
    await gate?.stop()
    await fresh?.drop()
  })
}
