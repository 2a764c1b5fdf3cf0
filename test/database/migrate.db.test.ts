import assert from 'node:assert/strict'
import { freshDatabase } from '../support/database.js'

describe('migrations', () => {
  it('are all applied to a fresh database', async () => {
    const { database, drop } = await freshDatabase()
    const { rows } = await database.query<{ count: number }>(
      'select count(*)::int as count from cleverctl.migration',
    )
    assert.ok((rows[0]?.count ?? 0) >= 4)
    await drop()
  })
})
