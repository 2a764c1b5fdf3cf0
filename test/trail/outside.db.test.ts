import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConflictError, FindingsError, UsageError } from '../../src/lib/errors.js'
import { appendTrail } from '../../src/lib/trail/append.js'
import type { TrailVerdict } from '../../src/lib/trail/chain.js'
import { exportTrail } from '../../src/lib/trail/export.js'
import { lineOfRow, rowOfLine } from '../../src/lib/trail/line.js'
import { listTrail, type TrailQuestion } from '../../src/lib/trail/list.js'
import { hashOfRow, type TrailRow } from '../../src/lib/trail/row.js'
import { readTrail } from '../../src/lib/trail/store.js'
import { verifyTrailFile } from '../../src/lib/trail/verify-file.js'
import { verifyTrail } from '../../src/lib/trail/verify.js'
import { freshDatabase, testWorkspace, type FreshDatabase } from '../support/database.js'

const seed = randomBytes(4).readUInt32LE()

/** Numbers from 0 to 1 that follow from the seed alone. */
function generator(state: number): () => number {
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const random = generator(seed)
const below = (limit: number) => Math.floor(random() * limit)
const RANGES = [
  [0x20, 0x7e],
  [0x1, 0x1f],
  [0x7f, 0xa0],
  [0xa0, 0x2ff],
  [0x300, 0x36f],
  [0x600, 0x6ff],
  [0x2000, 0x206f],
  [0x4e00, 0x9fff],
  [0xe000, 0xffff],
  [0x1f300, 0x1faff],
  [0x10fff0, 0x10ffff],
] as const
const FAVOURITES = [
  '"',
  '\\',
  ':',
  '-',
  ',"details":',
  '\\u0085',
  '\u2028',
  '\ufeff',
  '',
  '\n',
  '0',
]

function randomText(): string {
  return Array.from({ length: below(12) }, () => {
    if (random() < 0.3) return FAVOURITES[below(FAVOURITES.length)] ?? ''
    const [from, to] = RANGES[below(RANGES.length)] ?? [0x20, 0x7e]
    return String.fromCodePoint(from + below(to - from + 1))
  }).join('')
}

function randomJson(depth: number): unknown {
  const kinds = [
    () => randomText(),
    () => (random() - 0.5) * 10 ** below(40),
    () => below(1000),
    () => null,
    () => random() < 0.5,
    () => Array.from({ length: below(4) }, () => randomJson(depth - 1)),
    () => randomObject(depth - 1),
  ]
  return kinds[below(depth > 0 ? kinds.length : 5)]?.()
}

function randomObject(depth: number): Record<string, unknown> {
  return Object.fromEntries(
    Array.from({ length: below(4) }, () => [randomText(), randomJson(depth)]),
  )
}

describe(`the trail outside the database (seed ${seed})`, () => {
  let fresh: FreshDatabase
  let folder: string
  let rows: TrailRow[]

  before(async () => {
    fresh = await freshDatabase()
    folder = mkdtempSync(join(tmpdir(), 'cctl-trail-'))
    await fresh.database.transaction(async (transaction) => {
      for (let count = 0; count < 300; count++) {
        const actor = {
          osUser: randomText(),
          host: randomText(),
          ciJob: random() < 0.5 ? randomText() : undefined,
        }
        const phase = (['change', 'intent', 'outcome'] as const)[below(3)] ?? 'change'
        const entry = {
          action: randomText(),
          subject: randomText(),
          details: randomObject(3),
          phase,
        }
        await appendTrail(transaction, actor, entry)
      }
      const numbers =
        '{"a": 1.0, "b": 1e3, "c": 1e-7, "d": 123456789012345678901234567890.10, "10": 1, "9": 2}'
      await transaction.query(
        `select cleverctl.trail_append('change', 'numbers', 's', 'u', 'h', null, '${numbers}')`,
      )
    })
    rows = await readTrail(fresh.database, async ({ pages }) => {
      const all: TrailRow[] = []
      for await (const page of pages) all.push(...page)
      return all
    })
  })
  after(async () => {
    rmSync(folder, { recursive: true })
    await fresh.drop()
  })

  const verdictOf = async (content: string | Buffer): Promise<TrailVerdict> => {
    const path = join(folder, 'changed.ndjson')
    writeFileSync(path, content)
    try {
      return await verifyTrailFile(path, new AbortController().signal)
    } catch (error) {
      assert.ok(error instanceof FindingsError, String(error))
      return error.result as TrailVerdict
    }
  }

  it('hashes each row as the database does, whatever its fields hold', () => {
    assert.equal(rows.length, 301)
    for (const row of rows) assert.equal(hashOfRow(row), row.hash, JSON.stringify(row))
  })

  it('hashes each row as the database does when its time is odd', async () => {
    for (const at of [
      '1969-12-31 23:59:59.999999+00',
      '0099-03-01 00:00:00.000001+00',
      '2026-03-29 01:30:00+02',
    ]) {
      const { rows: made } = await fresh.database.query<{ hash: string; at: string }>(
        `with changed as (
          select jsonb_populate_record(trail, jsonb_build_object('at', $1::text)) as entry
          from cleverctl.trail where seq = 1)
        select encode(cleverctl.trail_hash(entry), 'hex') as hash,
          to_char((entry).at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at from changed`,
        [at],
      )
      const [first] = rows
      assert.ok(first && made[0])
      assert.equal(hashOfRow({ ...first, at: made[0].at }), made[0].hash, at)
    }
  })

  it('takes a time for no other way of writing it', () => {
    const [first] = rows
    assert.ok(first)
    const march = { ...first, at: '2026-03-02T00:00:00.000000Z' }
    const hash = hashOfRow(march)
    for (const at of [
      '2026-02-30T00:00:00.000000Z',
      '2026-03-01T24:00:00.000000Z',
      '2026-13-01T00:00:00.000000Z',
      '2026-03-02T00:00:00.000Z',
      '1772409600000000',
    ]) {
      assert.notEqual(hashOfRow({ ...march, at }), hash, at)
    }
  })

  it('writes each row as one line of JSON that is safe to show and gives the row back', () => {
    for (const row of rows) {
      const line = lineOfRow(row)
      assert.deepEqual(rowOfLine(line), row)
      assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f\u2028-\u202e]/)
      const { details, seq, ...fields } = row
      const given = JSON.parse(line) as Record<string, unknown>
      assert.deepEqual(given, {
        ...fields,
        seq: Number(seq),
        details: JSON.parse(details) as unknown,
      })
    }
  })

  it('exports to a file that verifies without the database, with the same head', async () => {
    const file = join(folder, 'trail.ndjson')
    const exported = await exportTrail(testWorkspace(fresh.database), { file, write: undefined })
    assert.equal(statSync(file).mode & 0o777, 0o600)
    const verdict = await verifyTrailFile(file, new AbortController().signal)
    const { rows: count, head } = await verifyTrail(testWorkspace(fresh.database))
    assert.deepEqual(verdict, { rows: count, head, problems: [], unlistedProblems: 0 })
    assert.deepEqual(exported, { rows: count, head, file })
    const again = exportTrail(testWorkspace(fresh.database), { file, write: undefined })
    await assert.rejects(again, ConflictError)
  })

  it('finds every byte that was changed in an exported file', async () => {
    const lines = rows.slice(0, 5).map(lineOfRow)
    const whole = Buffer.from(lines.map((line) => `${line}\n`).join(''))
    assert.deepEqual((await verdictOf(whole)).problems, [])
    for (let index = 0; index < whole.length - 1; index++) {
      const changed = Buffer.from(whole)
      changed[index] = (changed[index] ?? 0) ^ 1
      const { problems } = await verdictOf(changed)
      assert.ok(problems.length > 0, `byte ${index}`)
    }
  })

  it('finds lines that are missing, doubled, exchanged or written in another form', async () => {
    const lines = rows.slice(0, 6).map(lineOfRow)
    const kinds = async (changed: (string | undefined)[]) => {
      const { problems } = await verdictOf(changed.map((line) => `${line}\n`).join(''))
      return problems.map(({ kind, seq }) => `${kind} ${seq}`)
    }
    const [one, two, three, four, five, six] = lines
    assert.deepEqual(await kinds([two, three]), ['removed 1'])
    assert.deepEqual(await kinds([one, two, four]), ['removed 3'])
    assert.deepEqual(await kinds([one, two, two, three]), ['inserted 2'])
    assert.deepEqual(await kinds([one, three, two, four]), ['removed 2', 'inserted 2'])
    const pretty = JSON.stringify(JSON.parse(two ?? ''), null, 1).replaceAll('\n', '')
    assert.deepEqual(await kinds([one, pretty, three]), ['altered 2'])
    assert.deepEqual(await kinds([one, two?.replace('{', '{"note":1,'), three]), ['altered 2'])
    assert.deepEqual(await kinds([one, '', two]), ['altered 2', 'inserted 2'])
    assert.deepEqual(await kinds([four, five, six]), ['removed 1'])
  })

  it('takes nothing for a trail that is none', async () => {
    const path = join(folder, 'other.txt')
    const verify = () => verifyTrailFile(path, new AbortController().signal)
    await assert.rejects(verify(), UsageError)
    writeFileSync(path, '')
    await assert.rejects(verify(), UsageError)
    writeFileSync(path, 'some\ntext\n')
    await assert.rejects(verify(), UsageError)
    await assert.rejects(verifyTrailFile(folder, new AbortController().signal), UsageError)
  })

  it('leaves no file behind an export that was interrupted', async () => {
    const file = join(folder, 'interrupted.ndjson')
    const signal = AbortSignal.abort(new Error('stopped'))
    await assert.rejects(
      exportTrail(testWorkspace(fresh.database, { signal }), { file, write: undefined }),
    )
    assert.throws(() => readFileSync(file))
    assert.throws(() => readFileSync(`${file}.pending`))
  })
})

describe('listing the trail', () => {
  let fresh: FreshDatabase

  before(async () => {
    fresh = await freshDatabase()
    await fresh.database.transaction(async (transaction) => {
      for (const [action, subject, osUser, ciJob] of [
        ['device.register', 'CDX-000123', 'ana', undefined],
        ['device.revoke', 'CDX-000123', 'ben', undefined],
        ['device-type.add', 'CDX', 'ana', 'github:clever:17'],
        ['api-key.issue', 'solar-0042', 'ben', undefined],
        ['device.register', 'CDX-000124', 'ana', undefined],
      ] as const) {
        await appendTrail(transaction, { osUser, host: 'desk', ciJob }, { action, subject })
      }
    })
  })
  after(() => fresh.drop())

  const list = (asked: Partial<TrailQuestion> = {}) =>
    listTrail(testWorkspace(fresh.database, { clock: { now: () => new Date() } }), {
      limit: 100,
      ...asked,
    })
  const seqs = async (asked: Partial<TrailQuestion>) =>
    (await list(asked)).steps.map(({ seq }) => seq)

  it('gives the newest first, with every field a reader needs', async () => {
    const { steps, nextCursor } = await list()
    assert.deepEqual(
      steps.map(({ seq }) => seq),
      [5, 4, 3, 2, 1],
    )
    assert.equal(nextCursor, undefined)
    const { at, hash, ...step } = steps[2] ?? assert.fail()
    assert.match(at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
    assert.match(hash, /^[0-9a-f]{64}$/)
    assert.deepEqual(step, {
      seq: 3,
      phase: 'change',
      action: 'device-type.add',
      subject: 'CDX',
      databaseRole: 'postgres',
      osUser: 'ana',
      host: 'desk',
      ciJob: 'github:clever:17',
      details: {},
    })
  })

  it('filters by time, action, noun, subject and actor', async () => {
    assert.deepEqual(await seqs({ action: 'device.revoke' }), [2])
    assert.deepEqual(await seqs({ action: 'device' }), [5, 2, 1])
    assert.deepEqual(await seqs({ action: 'devic' }), [])
    assert.deepEqual(await seqs({ subject: 'CDX-000123' }), [2, 1])
    assert.deepEqual(await seqs({ actor: 'ben' }), [4, 2])
    assert.deepEqual(await seqs({ actor: 'github:clever:17' }), [3])
    assert.deepEqual(await seqs({ actor: 'postgres', action: 'device' }), [5, 2, 1])
    assert.deepEqual(await seqs({ sinceMs: 60_000 }), [5, 4, 3, 2, 1])
    const { steps } = await listTrail(
      testWorkspace(fresh.database, { clock: { now: () => new Date(Date.now() + 120_000) } }),
      { sinceMs: 60_000, limit: 10 },
    )
    assert.deepEqual(steps, [])
  })

  it('gives every step once, page by page', async () => {
    const first = await list({ limit: 2 })
    const second = await list({ limit: 2, cursor: first.nextCursor })
    const third = await list({ limit: 2, cursor: second.nextCursor })
    assert.deepEqual(
      [first, second, third].map(({ steps }) => steps.map(({ seq }) => seq)),
      [[5, 4], [3, 2], [1]],
    )
    assert.equal(third.nextCursor, undefined)
  })

  it('refuses a cursor that no page gave', async () => {
    for (const cursor of ['x', '-1', '1 or 1=1', '9'.repeat(30)]) {
      await assert.rejects(list({ cursor }), UsageError)
    }
  })
})
