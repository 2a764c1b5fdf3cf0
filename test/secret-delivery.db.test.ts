import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UnreachableError } from '../src/lib/errors.js'
import { transactionWithDelivery } from '../src/lib/secret-delivery.js'
import { fileDelivery } from '../src/lib/file-delivery.js'
import { Secret } from '../src/lib/secret.js'
import { freshDatabase, type FreshDatabase } from './support/database.js'

describe('a transaction that makes a secret', () => {
  let fresh: FreshDatabase
  let folder: string
  let path: string

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'cctl-delivery-'))
    path = join(folder, 'key.txt')
    fresh = await freshDatabase()
    await fresh.database.query('create table made (secret text)')
  })
  afterEach(async () => {
    await fresh.drop()
    rmSync(folder, { recursive: true })
  })

  const make = () =>
    transactionWithDelivery(fresh.database, fileDelivery(path), async (transaction) => {
      await transaction.query("insert into made values ('the secret')")
      return { secret: new Secret('the secret'), result: 'made' }
    })
  const isMade = async () => {
    const { rowCount } = await fresh.database.query('select from made')
    return rowCount === 1
  }
  const atCommit = (statement: string) =>
    fresh.database.query(`
      create function at_commit() returns trigger language plpgsql as $$ begin ${statement}; return null; end $$;
      create constraint trigger at_commit after insert on made deferrable initially deferred
        for each row execute function at_commit()`)

  it('puts the secret into the file and commits', async () => {
    assert.equal(await make(), 'made')
    assert.equal(readFileSync(path, 'utf8'), 'the secret\n')
    assert.deepEqual(readdirSync(folder), ['key.txt'])
    assert.ok(await isMade())
  })

  it('changes nothing when the secret cannot be put into the file', async () => {
    path = join(folder, 'none', 'key.txt')
    await assert.rejects(make())
    assert.equal(await isMade(), false)
  })

  it('leaves no file when the commit is refused', async () => {
    await atCommit("raise exception 'no'")
    await assert.rejects(make())
    assert.deepEqual(readdirSync(folder), [])
    assert.equal(await isMade(), false)
  })

  it('leaves the file unsettled when the connection is lost at the commit, and settles it by asking', async () => {
    await atCommit('perform pg_terminate_backend(pg_backend_pid())')
    await assert.rejects(make(), UnreachableError)
    assert.deepEqual(readdirSync(folder), ['key.txt', 'key.txt.pending'])
    assert.equal(await fileDelivery(path).resume(isMade), false)
    assert.deepEqual(readdirSync(folder), [])
  })
})
