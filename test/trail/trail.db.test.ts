import assert from 'node:assert/strict'
import type { Database } from '../../src/lib/database/database.js'
import { FindingsError } from '../../src/lib/errors.js'
import type { Actor } from '../../src/lib/trail/actor.js'
import { appendTrail, type TrailEntry } from '../../src/lib/trail/append.js'
import type { TrailProblem, TrailVerdict } from '../../src/lib/trail/chain.js'
import { verifyTrail } from '../../src/lib/trail/verify.js'
import { freshDatabase, openUrl, testWorkspace, type FreshDatabase } from '../support/database.js'

const ACTOR: Actor = { osUser: 'engineer', host: 'desk', ciJob: undefined }
const STEPS: { actor: Partial<Actor>; entry: TrailEntry }[] = [
  { actor: {}, entry: { action: 'installation.create', subject: 'solar-0042' } },
  { actor: { ciJob: 'github:clever:17' }, entry: { action: 'device.import', subject: 'lot 7' } },
  {
    actor: { ciJob: '' },
    entry: {
      action: 'device.revoke',
      subject: 'CDX-000123',
      details: { reason: 'stolen', batches: [1, 2, { deep: null }], share: 0.25 },
    },
  },
  { actor: {}, entry: { action: 'router.rotate', subject: 'solar-0042', phase: 'intent' } },
  { actor: {}, entry: { action: 'router.rotate', subject: 'solar-0042', phase: 'outcome' } },
  { actor: { osUser: 'büro ☀' }, entry: { action: 'api-key.issue', subject: 'solar-0042' } },
  { actor: { host: '' }, entry: { action: 'x', subject: '', details: { a: '', b: { a: 1 } } } },
  { actor: {}, entry: { action: 'token.revoke', subject: 'CDX-000123', details: { epoch: 2 } } },
]

const append = (database: Database, actor: Partial<Actor>, entry: TrailEntry) =>
  database.transaction((transaction) => appendTrail(transaction, { ...ACTOR, ...actor }, entry))

const verdictOf = async (database: Database): Promise<TrailVerdict> => {
  try {
    return await verifyTrail(testWorkspace(database))
  } catch (error) {
    assert.ok(error instanceof FindingsError, String(error))
    return error.result as TrailVerdict
  }
}

const found = ({ problems }: TrailVerdict) =>
  problems.map(({ kind, seq, throughSeq }: TrailProblem) =>
    throughSeq === undefined ? `${kind} ${seq}` : `${kind} ${seq}-${throughSeq}`,
  )

describe('verifying the trail', () => {
  let fresh: FreshDatabase

  before(async () => {
    fresh = await freshDatabase()
    for (const { actor, entry } of STEPS) await append(fresh.database, actor, entry)
    // What the table's owner can do who wants to hide something.
    await fresh.database.query(`
      alter table cleverctl.trail disable trigger trail_refuse_change;
      alter table cleverctl.trail drop constraint trail_pkey;
      create table true_trail as table cleverctl.trail;
      create table true_head as table cleverctl.trail_head`)
  })
  after(() => fresh.drop())

  /** What is found after `statements`; everything is as before afterwards. */
  const afterwards = async (statements: string): Promise<TrailVerdict> => {
    await fresh.database.query(statements)
    const verdict = await verdictOf(fresh.database)
    await fresh.database.query(`
      truncate cleverctl.trail, cleverctl.trail_head;
      insert into cleverctl.trail select * from true_trail;
      insert into cleverctl.trail_head select * from true_head`)
    return verdict
  }
  const rehash = (seq: number) =>
    `update cleverctl.trail set hash = cleverctl.trail_hash(trail.*) where seq = ${seq};`
  const swap = (one: number, other: number) => `
    update cleverctl.trail set seq = case seq when ${one} then ${other} else ${one} end
    where seq in (${one}, ${other});`

  it('finds nothing in a trail that nobody touched', async () => {
    const verdict = await verifyTrail(testWorkspace(fresh.database))
    const { rows } = await fresh.database.query<{ hash: string }>(
      `select encode(hash, 'hex') as hash from cleverctl.trail_head`,
    )
    assert.deepEqual(verdict, {
      rows: 8,
      head: { seq: 8, hash: rows[0]?.hash },
      problems: [],
      unlistedProblems: 0,
    })
  })

  const flipBit = (column: string, bit: number) =>
    `set_bit(${column}, ${bit}, 1 - get_bit(${column}, ${bit}))`
  const mutations: Record<string, string> = {
    'seq to a free one': 'seq = seq + 100',
    'seq to one below 1': 'seq = -seq',
    'at by a microsecond': `at = at + interval '1 microsecond'`,
    'at by a microsecond back': `at = at - interval '1 microsecond'`,
    'at to infinity': `at = 'infinity'`,
    'at by ten thousand years': `at = at + interval '10000 years'`,
    phase: `phase = case phase when 'change' then 'intent' else 'change' end`,
    action: `action = action || 'x'`,
    'action by case': `action = initcap(action)`,
    subject: `subject = subject || ' '`,
    'database role': `database_role = database_role || '2'`,
    'user by a letter of the same look': `os_user = translate(os_user, 'eü', 'еu')`,
    host: `host = host || '.'`,
    'CI job from none to empty, and from any to none': `ci_job = case when ci_job is null then '' end`,
    'CI job': `ci_job = coalesce(ci_job, '') || 'y'`,
    'a detail more': `details = details || '{"zz": 0}'`,
    'all details': `details = '{"other": true}'`,
    'first bit of the hash before': `previous_hash = ${flipBit('previous_hash', 0)}`,
    'last bit of the hash before': `previous_hash = ${flipBit('previous_hash', 255)}`,
    'first bit of the hash': `hash = ${flipBit('hash', 0)}`,
    'last bit of the hash': `hash = ${flipBit('hash', 255)}`,
  }
  for (const [name, mutation] of Object.entries(mutations)) {
    it(`finds each row that was altered: ${name}`, async () => {
      for (let seq = 1; seq <= STEPS.length; seq++) {
        const verdict = await afterwards(
          `update cleverctl.trail set ${mutation} where seq = ${seq}`,
        )
        assert.ok(verdict.problems.length > 0, `row ${seq}`)
        if (!mutation.startsWith('seq')) assert.ok(found(verdict).includes(`altered ${seq}`))
      }
    })
  }

  it('finds details whose numbers are written differently, or that moved between fields', async () => {
    const changes = [
      [`jsonb_set(details, '{share}', '0.250')`, 3],
      [`jsonb_set(details, '{batches,0}', '1.0')`, 3],
      [`jsonb_set(details, '{batches,0}', '"1"')`, 3],
      [`jsonb_set(details, '{batches}', '[2, 1, {"deep": null}]')`, 3],
      [`jsonb_set(details, '{batches,2}', '{}')`, 3],
      [`'{"a": {"a": 1}, "b": ""}'`, 7],
      [`jsonb_set(details, '{epoch}', '2e0')`, 8],
      [`jsonb_set(details, '{epoch}', '2.0')`, 8],
    ] as const
    for (const [details, seq] of changes) {
      const verdict = await afterwards(
        `update cleverctl.trail set details = ${details} where seq = ${seq}`,
      )
      // 2e0 is stored as 2: nothing was changed.
      const wanted = details.includes('2e0') ? [] : [`altered ${seq}`]
      assert.deepEqual(found(verdict), wanted, details)
    }
  })

  it('finds text that was moved from the end of one field to the start of the next', async () => {
    const verdict = await afterwards(
      `update cleverctl.trail set action = action || left(subject, 1), subject = substr(subject, 2) where seq = 2`,
    )
    assert.deepEqual(found(verdict), ['altered 2'])
  })

  it('finds a row that was altered together with its hash, by the next row or by the head', async () => {
    for (let seq = 1; seq <= STEPS.length; seq++) {
      const verdict = await afterwards(
        `update cleverctl.trail set subject = 'harmless' where seq = ${seq};${rehash(seq)}`,
      )
      assert.deepEqual(found(verdict), [seq === STEPS.length ? 'head 8' : `altered ${seq}`])
    }
  })

  it('finds rows that were rewritten with their hashes up to the last one, by the head', async () => {
    const chain = [6, 7, 8].map(
      (seq) => `
        update cleverctl.trail set previous_hash =
          (select hash from cleverctl.trail as before where before.seq = ${seq - 1}) where seq = ${seq};
        ${rehash(seq)}`,
    )
    const verdict = await afterwards(
      `update cleverctl.trail set subject = 'harmless' where seq = 5;${rehash(5)}${chain.join('')}`,
    )
    assert.deepEqual(found(verdict), ['head 8'])
  })

  it('finds removed rows, the first, the last and any between', async () => {
    const removed = (condition: string) =>
      afterwards(`delete from cleverctl.trail where ${condition}`)
    for (let seq = 1; seq <= STEPS.length; seq++) {
      assert.deepEqual(found(await removed(`seq = ${seq}`)), [`removed ${seq}`])
    }
    assert.deepEqual(found(await removed('seq in (3, 4, 5)')), ['removed 3-5'])
    assert.deepEqual(found(await removed('seq > 6')), ['removed 7-8'])
    assert.deepEqual(found(await removed('true')), ['removed 1-8'])
  })

  it('finds removed rows whose place was closed', async () => {
    const verdict = await afterwards(
      `delete from cleverctl.trail where seq = 4;
      update cleverctl.trail set seq = seq - 1 where seq > 4;
      update cleverctl.trail_head set seq = 7`,
    )
    assert.deepEqual(
      found(verdict),
      [4, 5, 6, 7].map((seq) => `reordered ${seq}`),
    )
  })

  it('finds the removed last row when the head was set back by number only', async () => {
    const verdict = await afterwards(
      `delete from cleverctl.trail where seq = 8; update cleverctl.trail_head set seq = 7`,
    )
    assert.deepEqual(found(verdict), ['head 7'])
  })

  it('finds a head that was altered or removed', async () => {
    const head = (statement: string) => afterwards(statement)
    assert.deepEqual(found(await head('delete from cleverctl.trail_head')), ['head 8'])
    assert.deepEqual(
      found(await head(`update cleverctl.trail_head set hash = ${flipBit('hash', 7)}`)),
      ['head 8'],
    )
    assert.deepEqual(found(await head('update cleverctl.trail_head set seq = 9')), ['removed 9'])
    assert.deepEqual(found(await head('update cleverctl.trail_head set seq = 6')), ['inserted 7-8'])
  })

  const insertAt = (seq: number) => `
    insert into cleverctl.trail select (row).* from (
      select jsonb_populate_record(before, jsonb_build_object(
        'seq', ${seq}, 'subject', 'invented', 'previous_hash', before.hash)) as row
      from cleverctl.trail as before where before.seq = ${seq - 1}) as made;
    update cleverctl.trail set hash = cleverctl.trail_hash(trail.*) where subject = 'invented';`

  it('finds an inserted row for which the others were moved, even with a right hash', async () => {
    for (const seq of [2, 5, 8]) {
      const verdict = await afterwards(
        `update cleverctl.trail set seq = seq + 1 where seq >= ${seq};
        update cleverctl.trail_head set seq = 9;${insertAt(seq)}`,
      )
      const moved = Array.from({ length: 9 - seq }, (_, index) => `reordered ${seq + 1 + index}`)
      assert.deepEqual(found(verdict), [`inserted ${seq}`, ...moved])
    }
  })

  it('finds a row inserted after the last one, under a taken number, or before the first', async () => {
    assert.deepEqual(found(await afterwards(insertAt(9))), ['inserted 9'])
    const copy = (seq: number) =>
      `insert into cleverctl.trail select (jsonb_populate_record(trail, '{"seq": ${seq}}')).* from cleverctl.trail where seq = 4`
    assert.deepEqual(found(await afterwards(copy(4))), ['inserted 4'])
    assert.deepEqual(found(await afterwards(copy(0))), ['inserted 0'])
    assert.deepEqual(found(await afterwards(copy(-3))), ['inserted -3'])
  })

  it('finds two rows that changed places, neighbours or not', async () => {
    for (const [one, other] of [
      [1, 2],
      [4, 5],
      [1, 8],
      [3, 7],
    ] as const) {
      const verdict = await afterwards(swap(one, other))
      const head = other === 8 ? ['head 8'] : []
      assert.deepEqual(found(verdict), [`reordered ${one}`, `reordered ${other}`, ...head])
    }
  })

  it('finds two rows that changed places and were given right hashes', async () => {
    const verdict = await afterwards(swap(4, 5) + rehash(4) + rehash(5))
    assert.ok(verdict.problems.length > 0)
  })

  it('goes on appending to a sound trail afterwards', async () => {
    assert.deepEqual(found(await verdictOf(fresh.database)), [])
  })
})

describe('writing the trail', () => {
  let fresh: FreshDatabase

  beforeEach(async () => {
    fresh = await freshDatabase()
  })
  afterEach(() => fresh.drop())

  it('gives ten writers at once one chain without a gap', async () => {
    const writers = await Promise.all(Array.from({ length: 10 }, () => openUrl(fresh.url)))
    await Promise.all(
      writers.map(async (database, writer) => {
        for (let step = 0; step < 20; step++) {
          await append(
            database,
            {},
            { action: 'test.write', subject: `${writer}`, details: { step } },
          )
        }
      }),
    )
    await Promise.all(writers.map((database) => database.close()))
    const verdict = await verdictOf(fresh.database)
    assert.deepEqual([verdict.rows, verdict.head.seq, found(verdict)], [200, 200, []])
  })

  it('leaves no gap behind a transaction that was rolled back', async () => {
    await append(fresh.database, {}, { action: 'a', subject: '1' })
    const rolledBack = fresh.database.transaction(async (transaction) => {
      await appendTrail(transaction, ACTOR, { action: 'a', subject: '2' })
      throw new Error('changed my mind')
    })
    await assert.rejects(rolledBack)
    await append(fresh.database, {}, { action: 'a', subject: '3' })
    const verdict = await verdictOf(fresh.database)
    assert.deepEqual([verdict.rows, found(verdict)], [2, []])
  })

  it('lets no change happen whose trail cannot be written', async () => {
    const change = (details: Record<string, unknown>) =>
      fresh.database.transaction(async (transaction) => {
        await transaction.query(
          `insert into cleverctl.installation (code, name, timezone, latitude, longitude)
          values ('solar-0042', 'x', 'UTC', 0, 0)`,
        )
        await appendTrail(transaction, ACTOR, { action: 'x', subject: 'solar-0042', details })
      })
    await assert.rejects(change({ text: 'PostgreSQL keeps no \0 in JSON' }))
    await fresh.database.query('alter table cleverctl.trail rename to elsewhere')
    await assert.rejects(change({}))
    await fresh.database.query('alter table cleverctl.elsewhere rename to trail')
    await fresh.database.query('delete from cleverctl.trail_head')
    await assert.rejects(change({}))
    const { rowCount } = await fresh.database.query('select from cleverctl.installation')
    assert.equal(rowCount, 0)
  })

  it('verifies more rows than a page holds', async () => {
    await fresh.database.query(
      `do $$ begin for i in 1..2500 loop
        perform cleverctl.trail_append('change', 'test.write', i::text, 'engineer', 'desk', null, '{}');
      end loop; end $$`,
    )
    const verdict = await verdictOf(fresh.database)
    assert.deepEqual([verdict.rows, found(verdict)], [2500, []])
  })
})

describe('the rights to the trail', () => {
  const roles = ['staff', 'gate', 'auditor'] as const
  let fresh: FreshDatabase
  const logins = new Map<string, Database>()

  before(async () => {
    fresh = await freshDatabase()
    await append(fresh.database, {}, { action: 'a', subject: 'b' })
    for (const role of roles) {
      await fresh.database.query(`create role trail_${role} login in role cleverctl_${role}`)
      logins.set(role, await openUrl(fresh.url.replace('postgres@', `trail_${role}@`)))
    }
  })
  after(async () => {
    for (const [role, database] of logins) {
      await database.close()
      await fresh.database.query(`drop role trail_${role}`)
    }
    await fresh.drop()
  })

  const loggedIn = (role: string): Database => {
    const database = logins.get(role)
    assert.ok(database)
    return database
  }
  const isForbidden = { code: 'privilege-missing' }

  for (const role of roles) {
    it(`let ${role} neither change nor remove anything`, async () => {
      for (const statement of [
        `update cleverctl.trail set subject = ''`,
        'delete from cleverctl.trail',
        'truncate cleverctl.trail',
        `insert into cleverctl.trail select 2, now(), 'change', '', '', '', '', '', null, '{}', hash, hash from cleverctl.trail`,
        'update cleverctl.trail_head set seq = 0',
        'delete from cleverctl.trail_head',
        'truncate cleverctl.trail_head',
        'alter table cleverctl.trail disable trigger all',
        'drop table cleverctl.trail',
        'create or replace function cleverctl.trail_hash(entry cleverctl.trail) returns bytea language sql return null',
        'set session_replication_role = replica',
      ]) {
        await assert.rejects(loggedIn(role).query(statement), isForbidden, statement)
      }
    })
  }

  it('let staff and gate append under their own login, whatever role they have set', async () => {
    for (const role of ['staff', 'gate']) {
      await loggedIn(role).transaction(async (transaction) => {
        await transaction.query(`set local role cleverctl_${role}`)
        await appendTrail(transaction, ACTOR, { action: 'test.append', subject: role })
      })
    }
    const { rows } = await fresh.database.query(
      `select database_role, subject from cleverctl.trail where action = 'test.append' order by seq`,
    )
    assert.deepEqual(rows, [
      { database_role: 'trail_staff', subject: 'staff' },
      { database_role: 'trail_gate', subject: 'gate' },
    ])
    await assert.rejects(
      append(loggedIn('auditor'), {}, { action: 'a', subject: 'b' }),
      isForbidden,
    )
  })

  it('let staff and auditor verify, and the gate not even read', async () => {
    assert.deepEqual(found(await verdictOf(loggedIn('staff'))), [])
    assert.deepEqual(found(await verdictOf(loggedIn('auditor'))), [])
    await assert.rejects(verifyTrail(testWorkspace(loggedIn('gate'))), isForbidden)
  })

  it('stop the owner from changing it by accident', async () => {
    for (const statement of [
      `update cleverctl.trail set subject = ''`,
      'delete from cleverctl.trail',
      'truncate cleverctl.trail',
    ]) {
      await assert.rejects(fresh.database.query(statement), isForbidden, statement)
    }
  })
})
