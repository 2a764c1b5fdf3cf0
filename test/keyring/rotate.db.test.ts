import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { KeyringSettings } from '../../src/lib/config/settings.js'
import type { Database } from '../../src/lib/database/database.js'
import { ConflictError, PartialError, RefusedError } from '../../src/lib/errors.js'
import type { KeyFile } from '../../src/lib/keyring/key-file.js'
import type { Keyring } from '../../src/lib/keyring/keyring.js'
import { openKeyring } from '../../src/lib/keyring/open.js'
import { rotateKeyring, type KeyringRotation } from '../../src/lib/keyring/rotate.js'
import { SEALED_COLUMNS } from '../../src/lib/keyring/sealed-columns.js'
import { Secret } from '../../src/lib/secret.js'
import { verifyTrail } from '../../src/lib/trail/verify.js'
import { freshDatabase, openUrl, testWorkspace, type FreshDatabase } from '../support/database.js'
import { memoryKeyring } from '../support/memory-keyring.js'
import { insertSealedRows, openSealedRows } from '../support/sealed-rows.js'

const repository = fileURLToPath(new URL('../..', import.meta.url))
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index)

describe('rotating the keyring', () => {
  let home: string
  let fresh: FreshDatabase
  let keyFile: string

  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'cctl-rotate-'))
    keyFile = join(home, 'keyring.json')
    fresh = await freshDatabase()
    // More of them than there ever are, so that each column has several batches.
    await fresh.database.query(
      'drop index cleverctl.signing_key_one_active, cleverctl.access_ca_one',
    )
  })
  afterEach(async () => {
    await fresh.drop()
    rmSync(home, { recursive: true })
  })

  const settingsOf = (file = keyFile, provider: KeyringSettings['provider'] = 'file') => ({
    keyring: { provider, file, isNamed: true, passphraseFile: undefined },
  })
  const askPassphrase = async () => new Secret('three suns over almeria')
  const open = (file?: string, database = fresh.database): Promise<Keyring> =>
    openKeyring({ settings: settingsOf(file), database, askPassphrase })
  const rotate = (
    given: { file?: string; prepareOnly?: boolean; database?: Database } = {},
  ): Promise<KeyringRotation> =>
    rotateKeyring(testWorkspace(given.database ?? fresh.database), {
      settings: settingsOf(given.file),
      askPassphrase,
      prepareOnly: given.prepareOnly ?? false,
    })
  const keysOf = (file = keyFile) => {
    const { keys } = JSON.parse(readFileSync(file, 'utf8')) as KeyFile
    return keys.map(({ id }) => id)
  }
  const liveKeys = async () => {
    const { rows } = await fresh.database.query<{ id: string }>(
      'select id from cleverctl.keyring_key where retired_at is null',
    )
    return rows.map(({ id }) => id)
  }
  const entries = async () => {
    const { rows } = await fresh.database.query<{
      phase: string
      subject: string
      details: object
    }>('select phase, action, subject, details from cleverctl.trail order by seq')
    return rows
  }
  /** One key seals everything, the file holds it alone, every row opens, the trail is sound. */
  const assertSettled = async () => {
    const keyring = await open()
    const sealing = await openSealedRows(fresh.database, keyring)
    assert.deepEqual(sealing, [keyring.currentKeyId])
    assert.deepEqual(keysOf(), [keyring.currentKeyId])
    assert.deepEqual(await liveKeys(), [keyring.currentKeyId])
    await verifyTrail(testWorkspace(fresh.database))
    return keyring
  }

  it('seals every row with a new key and forgets the old one', async () => {
    const before = await open()
    await insertSealedRows(fresh.database, before, upTo(1100))
    const rotation = await rotate()
    const after = await assertSettled()
    assert.notEqual(after.currentKeyId, before.currentKeyId)
    assert.deepEqual(rotation, {
      outcome: 'rotated',
      keyId: after.currentKeyId,
      retired: [before.currentKeyId],
      resealed: 7700,
      unopened: [],
      file: keyFile,
    })
    assert.deepEqual(await entries(), [
      {
        phase: 'intent',
        action: 'keyring.rotate',
        subject: after.currentKeyId,
        details: { former: before.currentKeyId },
      },
      {
        phase: 'outcome',
        action: 'keyring.rotate',
        subject: after.currentKeyId,
        details: { retired: [before.currentKeyId], resealed: 7700, unopened: 0 },
      },
    ])
  })

  it('rotates a keyring that seals nothing, again and again', async () => {
    await open()
    const ids = new Set<string>()
    for (let count = 0; count < 3; count++) ids.add((await rotate()).keyId)
    assert.equal(ids.size, 3)
    assert.deepEqual(keysOf(), await liveKeys())
  })

  it('keeps the new key behind the passphrase', async () => {
    const locked = { settings: settingsOf(keyFile, 'passphrase'), askPassphrase }
    const before = await openKeyring({ ...locked, database: fresh.database })
    await insertSealedRows(fresh.database, before, upTo(3))
    await rotateKeyring(testWorkspace(fresh.database), { ...locked, prepareOnly: false })
    const after = await openKeyring({ ...locked, database: fresh.database })
    assert.deepEqual(await openSealedRows(fresh.database, after), [after.currentKeyId])
    assert.notEqual(after.currentKeyId, before.currentKeyId)
  })

  it('lets a process that runs meanwhile open what is sealed anew', async () => {
    const running = await open()
    await insertSealedRows(fresh.database, running, upTo(3))
    await rotate()
    await openSealedRows(fresh.database, running)
  })

  it('waits for a row that is being written with the old key, and seals it anew', async () => {
    const old = await open()
    await insertSealedRows(fresh.database, old, upTo(3))
    let rotation: Promise<KeyringRotation> | undefined
    await fresh.database.transaction(async (transaction) => {
      await insertSealedRows(transaction, old, [7])
      rotation = rotate()
      const isWaiting = async () => {
        const { rowCount } = await fresh.database.query(
          `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        )
        return rowCount === 1
      }
      while (!(await isWaiting())) await new Promise((resolve) => setTimeout(resolve, 20))
    })
    assert.equal((await rotation)?.resealed, 28)
    await assertSettled()
  })

  it('lets nobody seal with a retired key, and says to try again', async () => {
    const stale = await open()
    await rotate()
    await assert.rejects(insertSealedRows(fresh.database, stale, [1]), ConflictError)
    await insertSealedRows(fresh.database, await open(), [1])
    const update = fresh.database.query('update cleverctl.api_key set sealed = $1', [
      stale.seal(Buffer.from('x'), 'api-key:x'),
    ])
    await assert.rejects(update, ConflictError)
    await assertSettled()
  })

  it('lets one of two rotations at a time work', async () => {
    await insertSealedRows(fresh.database, await open(), upTo(600))
    const other = await openUrl(fresh.url)
    const results = await Promise.allSettled([rotate(), rotate({ database: other })])
    await other.close()
    const refused = results.filter((result) => result.status === 'rejected')
    for (const { reason } of refused)
      assert.equal((reason as ConflictError).code, 'keyring-rotating')
    assert.ok(refused.length <= 1)
    await assertSettled()
  })

  it('leaves a row alone that it cannot open, says which, and keeps the key that may open it', async () => {
    const before = await open()
    await insertSealedRows(fresh.database, before, upTo(3))
    const altered = before.seal(Buffer.from('x'), 'api-key:another')
    const foreign = memoryKeyring().seal(Buffer.from('x'), 'signing-key:Key00002')
    await fresh.database.query(
      `update cleverctl.api_key set sealed = $1 where key_id = 'Key00001'`,
      [altered],
    )
    await fresh.database.query(
      `update cleverctl.signing_key set sealed_private = $1 where kid = 'Key00002'`,
      [foreign],
    )
    await assert.rejects(rotate(), (error) => {
      assert.ok(error instanceof PartialError)
      const result = error.result as KeyringRotation
      assert.deepEqual(result.unopened, ['signing-key:Key00002', 'api-key:Key00001'])
      assert.deepEqual([result.resealed, result.retired], [19, []])
      return true
    })
    assert.equal(keysOf().length, 2)
    const { rows } = await fresh.database.query<{ sealed: Buffer }>(
      `select sealed from cleverctl.api_key where key_id = 'Key00001'`,
    )
    assert.deepEqual(rows[0]?.sealed, altered)
    await fresh.database.query(
      `update cleverctl.api_key set sealed = null where key_id = 'Key00001'`,
    )
    await fresh.database.query(`delete from cleverctl.signing_key where kid = 'Key00002'`)
    const { outcome, retired } = await rotate()
    assert.deepEqual([outcome, retired], ['finished', [before.currentKeyId]])
    assert.equal(keysOf().length, 1)
  })

  it('lets other machines work all the while when they get the prepared file', async () => {
    const machine = join(home, 'other.json')
    const forgotten = join(home, 'forgotten.json')
    const before = await open()
    await insertSealedRows(fresh.database, before, upTo(3))
    copyFileSync(keyFile, forgotten)
    const prepared = await rotate({ prepareOnly: true })
    assert.deepEqual([prepared.outcome, prepared.resealed], ['prepared', 0])
    assert.equal((await open()).currentKeyId, before.currentKeyId)
    assert.deepEqual(await rotate({ prepareOnly: true }), prepared, 'prepared once')
    copyFileSync(keyFile, machine)
    const rotation = await rotate()
    assert.deepEqual([rotation.outcome, rotation.keyId], ['rotated', prepared.keyId])
    const there = await open(machine)
    assert.equal(there.currentKeyId, prepared.keyId)
    await openSealedRows(fresh.database, there)
    await insertSealedRows(fresh.database, there, [9])
    await assertSettled()
    await assert.rejects(
      open(forgotten),
      (error) => error instanceof RefusedError && error.code === 'key-missing',
    )
  })

  it('removes a retired key from the file of another machine, and then rotates there, too', async () => {
    const machine = join(home, 'other.json')
    await insertSealedRows(fresh.database, await open(), upTo(3))
    await rotate({ prepareOnly: true })
    copyFileSync(keyFile, machine)
    await rotate()
    const { outcome } = await rotate({ file: machine })
    assert.equal(outcome, 'finished')
    assert.deepEqual(keysOf(machine), keysOf())
    assert.equal((await rotate({ file: machine })).outcome, 'rotated')
  })

  it('is not for the role of a gate', async () => {
    await insertSealedRows(fresh.database, await open(), upTo(3))
    await fresh.database.query('create role rotate_gate login in role cleverctl_gate')
    const gate = await openUrl(fresh.url.replace('postgres@', 'rotate_gate@'))
    await assert.rejects(rotate({ database: gate }), RefusedError)
    await gate.close()
    await fresh.database.query('drop role rotate_gate')
    await rotate()
    await assertSettled()
  })

  it('knows every sealed column of the schema, and each refuses retired keys', async () => {
    const { rows } = await fresh.database.query<{
      table: string
      column: string
      triggers: number
    }>(
      `select attrelid::regclass::text as table, attname as column,
        (select count(*)::int from pg_trigger where tgrelid = attrelid
          and tgfoid = 'cleverctl.refuse_retired_key'::regproc
          and encode(tgargs, 'escape') = attname || '\\000') as triggers
      from pg_attribute join pg_class on pg_class.oid = attrelid
      where relnamespace = 'cleverctl'::regnamespace and relkind = 'r' and attname ~ '^sealed'`,
    )
    assert.deepEqual(
      rows.map(({ table, column }) => `${table}.${column}`).sort(),
      SEALED_COLUMNS.map(({ table, column }) => `${table}.${column}`).sort(),
    )
    assert.ok(rows.every(({ triggers }) => triggers === 1))
  })

  describe('killed', () => {
    /**
     * Rotates in a process of its own that kills itself before or after its n-th transaction, or
     * that is killed after some milliseconds.
     */
    const rotateKilled = async (killAt: { before?: number; after?: number; ms?: number }) => {
      const program = `
        import { openUrl, testWorkspace } from ${JSON.stringify(join(repository, 'test/support/database.ts'))}
        import { rotateKeyring } from ${JSON.stringify(join(repository, 'src/lib/keyring/rotate.ts'))}
        const killAt = ${JSON.stringify(killAt)}
        const database = await openUrl(${JSON.stringify(fresh.url)})
        const transaction = database.transaction.bind(database)
        let count = 0
        const die = () => process.kill(process.pid, 'SIGKILL')
        database.transaction = async (work) => {
          count++
          if (count === killAt.before) die()
          const result = await transaction(work)
          if (count === killAt.after) die()
          return result
        }
        process.stdout.write('begin')
        await rotateKeyring(testWorkspace(database), {
          settings: ${JSON.stringify(settingsOf())}, prepareOnly: false, askPassphrase: () => {},
        })
        await database.close()`
      const child = spawn(
        process.execPath,
        ['--import', 'tsx', '--input-type=module', '-e', program],
        { cwd: repository, stdio: ['ignore', 'pipe', 'inherit'] },
      )
      const exit = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
      if (killAt.ms !== undefined) {
        await once(child.stdout, 'data')
        setTimeout(() => child.kill('SIGKILL'), killAt.ms)
      }
      const [code, signal] = await exit
      assert.ok(signal === 'SIGKILL' || code === 0)
      return signal
    }

    // Register, two batches and an empty one for each of two columns, retire.
    const moments = [
      { before: 1 },
      { after: 1 },
      { after: 2 },
      { before: 3 },
      { after: 5 },
      { before: 8 },
      { after: 8 },
    ]
    for (const killAt of moments) {
      const [when, number] = Object.entries(killAt)[0] ?? []
      it(`${when} its transaction ${number}, it goes on when given again`, async () => {
        const before = await open()
        await insertSealedRows(fresh.database, before, upTo(600))
        assert.equal(await rotateKilled(killAt), 'SIGKILL')
        const between = await open()
        await openSealedRows(fresh.database, between)
        await insertSealedRows(fresh.database, between, [700])
        const { keyId, outcome } = await rotate()
        const after = await assertSettled()
        assert.deepEqual(
          [keyId, outcome],
          [after.currentKeyId, killAt.before === 1 ? 'rotated' : 'finished'],
        )
        assert.notEqual(after.currentKeyId, before.currentKeyId)
        const outcomes = (await entries()).filter(({ phase }) => phase === 'outcome')
        assert.equal(outcomes.length, 1)
        assert.deepEqual(readdirSync(home), ['keyring.json'])
      })
    }

    const seed = Date.now() % 1000
    it(`at any other moment, it loses nothing (seed ${seed})`, async () => {
      await insertSealedRows(fresh.database, await open(), upTo(1000))
      for (let round = 0; round < 6; round++) {
        await rotateKilled({ ms: (seed * (round + 1) * 37) % 300 })
        await openSealedRows(fresh.database, await open())
      }
      await rotate()
      await assertSettled()
    })
  })
})
