import assert from 'node:assert/strict'
import { hold } from '../../src/lib/database/hold.js'
import { ConflictError } from '../../src/lib/errors.js'
import { freshDatabase, type FreshDatabase } from '../support/database.js'

const taken = new ConflictError('taken', 'somebody else has it')

describe('locks that a process holds', function () {
  let fresh: FreshDatabase

  before(async () => {
    fresh = await freshDatabase()
  })
  after(() => fresh?.drop())

  it('are of one connection, which takes one statement at a time', async () => {
    const warnings: string[] = []
    const listen = (warning: Error) => warnings.push(warning.message)
    process.on('warning', listen)
    try {
      const names = Array.from({ length: 20 }, (_each, index) => `lock-${index}`)
      const held = names.map((name) => hold(fresh.database, name, taken, async () => name))
      assert.deepEqual(await Promise.all(held), names)
      // Warnings come in the next turn.
      await new Promise((resolve) => setImmediate(resolve))
    } finally {
      process.removeListener('warning', listen)
    }
    assert.deepEqual(warnings, [])
  })

  it('are refused to whoever comes second, in this process too', async () => {
    await hold(fresh.database, 'one', taken, async () => {
      await assert.rejects(
        hold(fresh.database, 'one', taken, async () => undefined),
        taken,
      )
    })
    assert.equal(await hold(fresh.database, 'one', taken, async () => 'free'), 'free')
  })
})
