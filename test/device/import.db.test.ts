import assert from 'node:assert/strict'
import { mkdtemp, readFile, readdir, rm, stat, writeFile, chmod } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { deviceSecretDigest } from '../../src/lib/device/secret.js'
import {
  importDevices,
  type DeviceImport,
  type DeviceImportOptions,
} from '../../src/lib/device/import.js'
import {
  ConflictError,
  type ExpectedError,
  PartialError,
  UnreachableError,
  UsageError,
} from '../../src/lib/errors.js'
import type { Database } from '../../src/lib/database/database.js'
import type { Workspace } from '../../src/lib/workspace.js'
import { contentOf } from '../support/content.js'
import { freshDatabase, testWorkspace, type FreshDatabase } from '../support/database.js'

const HEADER = 'serial,model,batch,manufacturedAt'
const line = (number: number, rest = 'CleverDx,B-1,2026-01-31'): string =>
  `CDX-${String(number).padStart(6, '0')},${rest}`

describe('device import', () => {
  let fresh: FreshDatabase
  let folder: string
  let input: string
  let secretsOut: string
  let workspace: Workspace

  before(async () => {
    fresh = await freshDatabase()
  })
  after(() => fresh.drop())
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cctl-import-'))
    input = join(folder, 'factory.csv')
    secretsOut = join(folder, 'secrets.csv')
    workspace = testWorkspace(fresh.database)
    await fresh.database.query('truncate cleverctl.device, cleverctl.device_import cascade')
  })
  afterEach(() => rm(folder, { recursive: true }))

  const write = (...lines: string[]): Promise<void> =>
    writeFile(input, [HEADER, ...lines, ''].join('\n'))

  const run = (options: Partial<DeviceImportOptions> = {}): Promise<DeviceImport> =>
    importDevices(workspace, { input, secretsOut, isStrict: false, isDryRun: false, ...options })

  async function failed<Kind extends ExpectedError>(
    work: Promise<unknown>,
    kind: new (...args: never[]) => Kind,
  ): Promise<Kind & { result: DeviceImport }> {
    const error: unknown = await work.then(
      () => assert.fail('it succeeded'),
      (reason: unknown) => reason,
    )
    if (!(error instanceof kind)) throw error
    return error as Kind & { result: DeviceImport }
  }

  const content = () => contentOf((statement) => fresh.database.query(statement))

  const counts = ({ imported, unchanged, rejected }: DeviceImport) => ({
    imported,
    unchanged,
    rejected,
  })

  /** Every device's digest belongs to its line of the secrets file, and the file has no other lines. */
  async function requireSecretsMatch(path = secretsOut): Promise<number> {
    const [header, ...lines] = (await readFile(path, 'utf8')).trimEnd().split('\n')
    assert.equal(header, 'serial,secret')
    const { rows } = await fresh.database.query<{ serial: string; secret_sha256: Buffer }>(
      'select serial, secret_sha256 from cleverctl.device',
    )
    const digests = new Map(rows.map((row) => [row.serial, row.secret_sha256]))
    for (const each of lines) {
      const [serial = '', secret = ''] = each.split(',')
      assert.deepEqual(digests.get(serial), deviceSecretDigest(secret), serial)
    }
    return lines.length
  }

  it('registers what the file lists, with its secrets in the secrets file alone', async () => {
    await write(line(1), line(2, 'Größe "2",B-2,2026-01-31T08:30:00.5+02:00').replace('"2"', '2'))
    const result = await run()
    assert.deepEqual(
      { ...result, durationMs: 0 },
      {
        imported: 2,
        unchanged: 0,
        rejected: 0,
        rejects: [],
        rejectsFile: null,
        secretsFile: secretsOut,
        dryRun: false,
        durationMs: 0,
      },
    )
    assert.equal(await requireSecretsMatch(), 2)
    assert.equal((await stat(secretsOut)).mode & 0o777, 0o600)
    assert.deepEqual((await readdir(folder)).sort(), ['factory.csv', 'secrets.csv'])
    const { rows } = await fresh.database.query(
      `select model, batch, manufactured_at at time zone 'UTC' = '2026-01-31 06:30:00.5' as "isOnTime"
       from cleverctl.device where serial = 'CDX-000002'`,
    )
    assert.deepEqual(rows, [{ model: 'Größe 2', batch: 'B-2', isOnTime: true }])
  })

  it('writes one row of the trail, with the digest of what was read', async () => {
    const before = (await content())['trail']?.rows ?? 0
    await write(line(1), line(2, 'CleverDx,B-2,2026-01-31'), 'bad')
    await failed(run(), PartialError)
    const { rows } = await fresh.database.query<{ details: Record<string, unknown> }>(
      'select action, subject, details from cleverctl.trail order by seq desc',
    )
    assert.equal(rows.length, before + 1)
    const { createHash } = await import('node:crypto')
    const inputSha256 = createHash('sha256')
      .update(await readFile(input))
      .digest('hex')
    assert.deepEqual(rows[0], {
      action: 'device.import',
      subject: 'factory.csv',
      details: { imported: 2, unchanged: 0, rejected: 1, batches: ['B-1', 'B-2'], inputSha256 },
    })
  })

  it('says unchanged the second time and touches nothing', async () => {
    await write(...Array.from({ length: 10_000 }, (_, index) => line(index)))
    await run()
    const [rows, file] = [await content(), await stat(secretsOut)]
    const again = await run()
    assert.deepEqual(counts(again), { imported: 0, unchanged: 10_000, rejected: 0 })
    assert.equal(again.secretsFile, null)
    assert.deepEqual(await content(), rows)
    assert.equal((await stat(secretsOut)).mtimeMs, file.mtimeMs)
  })

  it('needs a new secrets file for devices that are new', async () => {
    await write(line(1))
    await run()
    await write(line(1), line(2))
    const before = await content()
    const error = await failed(run(), ConflictError)
    assert.match(error.message, /secrets\.csv exists/)
    assert.deepEqual(await content(), before)
    assert.equal(await requireSecretsMatch(), 1)
    const next = join(folder, 'secrets-2.csv')
    assert.deepEqual(counts(await run({ secretsOut: next })), {
      imported: 1,
      unchanged: 1,
      rejected: 0,
    })
    assert.equal(await requireSecretsMatch(next), 1)
  })

  it('registers nothing without a secrets file', async () => {
    await write(line(1))
    const before = await content()
    const error = await failed(run({ secretsOut: undefined }), UsageError)
    assert.match(error.message, /--secrets-out/)
    assert.deepEqual(await content(), before)
  })

  it('registers nothing when the secrets file cannot be made', async () => {
    await write(line(1))
    const before = await content()
    await failed(run({ secretsOut: join(folder, 'missing', 'secrets.csv') }), UsageError)
    assert.deepEqual(await content(), before)
  })

  it('does not let a bad row keep the good ones out', async () => {
    await write(
      line(1),
      'no serial,CleverDx,B-1,2026-01-31',
      line(2, '"Clever ""Dx""",B-1,2026-01-31'),
      line(3, 'CleverDx,B-1,2099-01-01'),
      line(4, 'CleverDx,B-1'),
      line(1),
      line(5),
    )
    const { result, message } = await failed(run(), PartialError)
    assert.equal(message, 'refused 4 rows of factory.csv')
    assert.deepEqual(counts(result), { imported: 3, unchanged: 0, rejected: 4 })
    assert.deepEqual(
      result.rejects.map(({ line: number, serial, code }) => [number, serial, code]),
      [
        [3, 'no serial', 'bad-serial'],
        [5, 'CDX-000003', 'future-date'],
        [6, null, 'wrong-field-count'],
        [7, 'CDX-000001', 'duplicate-serial'],
      ],
    )
    assert.equal(result.rejectsFile, `${input}.rejects.csv`)
    assert.equal(
      await readFile(`${input}.rejects.csv`, 'utf8'),
      [
        'line,code,reason,row',
        '3,bad-serial,"a serial is 3 to 40 letters, digits, dots, hyphens and underscores, the first a letter or digit","no serial,CleverDx,B-1,2026-01-31"',
        '5,future-date,"manufacturedAt lies in the future","CDX-000003,CleverDx,B-1,2099-01-01"',
        '6,wrong-field-count,"3 fields where the header has 4","CDX-000004,CleverDx,B-1"',
        '7,duplicate-serial,"the serial stands in an earlier row","CDX-000001,CleverDx,B-1,2026-01-31"',
        '',
      ].join('\n'),
    )
    assert.equal(await requireSecretsMatch(), 3)
  })

  it('replaces the reject file on each run', async () => {
    await write('bad')
    await failed(run(), PartialError)
    await write(line(1))
    assert.equal((await run()).rejectsFile, null)
    assert.deepEqual((await readdir(folder)).sort(), ['factory.csv', 'secrets.csv'])
  })

  it('names a hundred refused rows and lists all of them', async () => {
    await write(...Array.from({ length: 9000 }, (_, index) => `bad ${index}`), line(1))
    const { result } = await failed(run(), PartialError)
    assert.deepEqual(counts(result), { imported: 1, unchanged: 0, rejected: 9000 })
    assert.deepEqual(
      result.rejects.map((reject) => reject.line),
      Array.from({ length: 100 }, (_, index) => index + 2),
    )
    const listed = (await readFile(`${input}.rejects.csv`, 'utf8')).trimEnd().split('\n')
    assert.deepEqual(
      listed.slice(1).map((each) => Number(each.split(',')[0])),
      Array.from({ length: 9000 }, (_, index) => index + 2),
    )
  })

  it('refuses all rows for one when it is strict', async () => {
    await write(line(1), 'bad', line(2))
    const before = await content()
    const { result, exitCode } = await failed(run({ isStrict: true }), UsageError)
    assert.equal(exitCode, 2)
    assert.deepEqual(counts(result), { imported: 0, unchanged: 0, rejected: 1 })
    assert.deepEqual(await content(), before)
    assert.deepEqual((await readdir(folder)).sort(), ['factory.csv', 'factory.csv.rejects.csv'])
  })

  it('tells in a dry run what it would do, and writes nothing', async () => {
    await write(line(1), line(2))
    await run()
    // More rows than are settled together, and serials repeated over that bound.
    const many = Array.from({ length: 9000 }, (_, index) => line(index + 10))
    await write(line(1), line(2, 'Other,B-1,2026-01-31'), ...many, line(10), line(1), 'bad')
    const [before, files] = [await content(), await readdir(folder)]
    const rehearsed = await failed(run({ isDryRun: true, secretsOut: undefined }), PartialError)
    assert.deepEqual(await content(), before)
    assert.deepEqual(await readdir(folder), files)
    assert.deepEqual(counts(rehearsed.result), { imported: 9000, unchanged: 1, rejected: 4 })
    assert.equal(rehearsed.result.dryRun, true)
    const real = await failed(run({ secretsOut: join(folder, 'secrets-2.csv') }), PartialError)
    assert.deepEqual(real.result.rejects, rehearsed.result.rejects)
    assert.deepEqual(counts(real.result), counts(rehearsed.result))
  })

  it('recognises a serial that comes again, however far apart and in whatever order', async () => {
    const numbers = Array.from({ length: 20_000 }, (_, index) => (index * 7919) % 20_000)
    await write(
      ...numbers.map((number) => line(number)),
      ...numbers.slice(0, 3).map((number) => line(number)),
    )
    const first = await failed(run(), PartialError)
    assert.deepEqual(counts(first.result), { imported: 20_000, unchanged: 0, rejected: 3 })
    assert.deepEqual(
      first.result.rejects.map(({ line: at, code }) => [at, code]),
      [
        [20_002, 'duplicate-serial'],
        [20_003, 'duplicate-serial'],
        [20_004, 'duplicate-serial'],
      ],
    )
    const given = (await readFile(secretsOut, 'utf8')).trimEnd().split('\n').slice(1)
    assert.deepEqual(
      given.map((each) => each.split(',')[0]),
      numbers.map((number) => line(number).split(',')[0]),
    )
    const second = await failed(run(), PartialError)
    assert.deepEqual(counts(second.result), { imported: 0, unchanged: 20_000, rejected: 3 })
    assert.deepEqual(second.result.rejects, first.result.rejects)
    assert.equal(await requireSecretsMatch(), 20_000)
  })

  it('refuses devices that are registered with other values', async () => {
    await write(line(1), line(2), line(3))
    await run()
    await write(
      line(1, 'Other,B-1,2026-01-31'),
      line(2, 'CleverDx,B-2,2026-01-31'),
      line(3, 'CleverDx,B-1,2026-01-30'),
    )
    const { result } = await failed(run(), PartialError)
    assert.deepEqual(
      result.rejects.map(({ code, reason }) => [code, reason]),
      [
        ['registered-differently', 'it is registered as model CleverDx'],
        ['registered-differently', 'it is registered with batch B-1'],
        ['registered-differently', 'it is registered as made at 2026-01-31T00:00:00.000Z'],
      ],
    )
  })

  it('reads NDJSON, told by its first character', async () => {
    const record = (serial: string) => ({
      serial,
      model: 'CleverDx',
      batch: 'B-1',
      manufacturedAt: '2026-01-31',
    })
    await writeFile(
      input,
      [
        '',
        JSON.stringify({ ...record('CDX-1'), note: 'x' }),
        '{',
        JSON.stringify(record('CDX-2')),
        '{"serial":"CDX-3"}',
      ].join('\r\n'),
    )
    const { result } = await failed(run(), PartialError)
    assert.deepEqual(counts(result), { imported: 2, unchanged: 0, rejected: 2 })
    assert.deepEqual(
      result.rejects.map(({ line: number, code }) => [number, code]),
      [
        [3, 'malformed-json'],
        [5, 'missing-field'],
      ],
    )
    assert.equal(await requireSecretsMatch(), 2)
  })

  it('takes columns in any order, quotes, CR LF and a byte order mark', async () => {
    const rows = [
      'batch,"manufacturedAt",note,serial,model',
      '"B,1","2026-01-31","a\nb",CDX-1,"Clever ""Dx"""',
    ]
    await writeFile(input, `\ufeff${rows.join('\r\n')}\r\n`)
    assert.deepEqual(counts(await run()), { imported: 1, unchanged: 0, rejected: 0 })
    const { rows: stored } = await fresh.database.query(
      'select serial, model, batch from cleverctl.device',
    )
    assert.deepEqual(stored, [{ serial: 'CDX-1', model: 'Clever "Dx"', batch: 'B,1' }])
  })

  it('stores backslashes as they are, never as escapes of COPY', async () => {
    const models = ['a\\b', 'a\\.', 'a\\N', 'a\\tb', 'a\\']
    await write(...models.map((model, index) => line(index, `${model},x\\y,2026-01-31`)))
    await run()
    const { rows } = await fresh.database.query<{ model: string; batch: string }>(
      'select model, batch from cleverctl.device order by serial',
    )
    assert.deepEqual(
      rows,
      models.map((model) => ({ model, batch: 'x\\y' })),
    )
    assert.deepEqual(counts(await run()), { imported: 0, unchanged: models.length, rejected: 0 })
  })

  it('refuses hostile rows one by one', async () => {
    const hostile = Buffer.concat([
      Buffer.from(`${HEADER}\n${line(1)}\n`),
      Buffer.from(`${'x'.repeat(10_000_000)}\n`),
      Buffer.from([0x43, 0xff, 0xfe, 0x0a]),
      Buffer.from('CDX-000002,Clever\0Dx,B-1,2026-01-31\n'),
      Buffer.from('"CDX-000003,CleverDx,B-1,2026-01-31\n'),
      Buffer.from('CDX-000004,"a\nCDX-666,CleverDx,B-1,2026-01-31\n",B-1,2026-01-31\n'),
      Buffer.from("=cmd|' /C calc'!A0,CleverDx,B-1,2026-01-31\n"),
      Buffer.from('CDX-000005,=1+1,B-1,2026-01-31\n'),
      Buffer.from("CDX'; drop table cleverctl.device; --,CleverDx,B-1,2026-01-31\n"),
      Buffer.from('CDX-000006,\u001b[2J,B-1,2026-01-31\n'),
      Buffer.from('\\.\n'),
      Buffer.from(line(7)),
    ])
    await writeFile(input, hostile)
    const { result } = await failed(run(), PartialError)
    assert.deepEqual(
      result.rejects.map(({ line: number, code }) => [number, code]),
      [
        [3, 'line-too-long'],
        [4, 'not-utf8'],
        [5, 'nul-character'],
        [6, 'malformed-csv'],
        [7, 'bad-model'],
        [10, 'bad-serial'],
        [11, 'bad-model'],
        [12, 'bad-serial'],
        [13, 'bad-model'],
        [14, 'wrong-field-count'],
      ],
    )
    const { rows } = await fresh.database.query(
      'select serial from cleverctl.device order by serial',
    )
    assert.deepEqual(rows, [{ serial: 'CDX-000001' }, { serial: 'CDX-000007' }])
  })

  const unusable: [name: string, prepare: () => Promise<unknown>, code: string][] = [
    ['a missing file', async () => undefined, 'unreadable-input'],
    ['an empty file', () => writeFile(input, ''), 'empty-input'],
    ['a file of empty lines', () => writeFile(input, '\n\r\n'), 'empty-input'],
    ['a file with another header', () => writeFile(input, 'a,b\n1,2\n'), 'wrong-header'],
    ['a file without a header', () => writeFile(input, `${line(1)}\n`), 'wrong-header'],
    [
      'a file of UTF-16',
      () => writeFile(input, Buffer.from(`\ufeff${HEADER}\n`, 'utf16le')),
      'wrong-header',
    ],
  ]
  for (const [name, prepare, code] of unusable) {
    it(`cannot use ${name}, and says so`, async () => {
      await prepare()
      const before = await content()
      const error = await failed(run(), UsageError)
      assert.equal(error.code, code)
      assert.deepEqual(await content(), before)
    })
  }

  it('cannot use a directory', async () => {
    assert.equal((await failed(run({ input: folder }), UsageError)).code, 'unreadable-input')
  })

  it('takes a file with a header alone', async () => {
    await write()
    assert.deepEqual(counts(await run()), { imported: 0, unchanged: 0, rejected: 0 })
    assert.deepEqual(await readdir(folder), ['factory.csv'])
  })

  it('never takes one file for two things', async () => {
    await write(line(1))
    const before = await readFile(input)
    for (const options of [{ secretsOut: input }, { rejects: input }, { rejects: secretsOut }]) {
      assert.equal((await failed(run(options), UsageError)).code, 'same-file')
    }
    assert.deepEqual(await readFile(input), before)
  })

  it('undoes everything when it is cancelled', async () => {
    await write(...Array.from({ length: 30_000 }, (_, index) => line(index)))
    const before = await content()
    const controller = new AbortController()
    const reason = new Error('stop')
    workspace = testWorkspace(fresh.database, {
      signal: controller.signal,
      log: { ...workspace.log, progress: () => controller.abort(reason) },
    })
    await assert.rejects(run(), (error) => error === reason)
    assert.deepEqual(await content(), before)
    assert.deepEqual(await readdir(folder), ['factory.csv'])
  })

  it('undoes everything when the server ends its connection', async () => {
    await write(...Array.from({ length: 30_000 }, (_, index) => line(index)))
    const before = await content()
    let ending: Promise<unknown> | undefined
    workspace = testWorkspace(fresh.database, {
      log: {
        ...workspace.log,
        progress: () => {
          ending ??= fresh.database.query(
            `select pg_terminate_backend(pid) from pg_stat_activity
             where datname = current_database() and query like 'copy %'`,
          )
        },
      },
    })
    await failed(run(), UnreachableError)
    await ending
    assert.deepEqual(await content(), before)
    assert.deepEqual(await readdir(folder), ['factory.csv'])
  })

  it('tells how far it is, against what the size of the file lets expect', async () => {
    await write(...Array.from({ length: 40_000 }, (_, index) => line(index)))
    const seen: { done: number; total: number | undefined; unit: string }[] = []
    workspace = testWorkspace(fresh.database, {
      log: { ...workspace.log, progress: (state) => void seen.push(state) },
    })
    await run()
    assert.deepEqual(seen.at(-1), { done: 40_000, total: 40_000, unit: 'devices' })
    assert.ok(seen.length > 3)
    for (const { done, total = 0 } of seen) assert.ok(done <= total && total < 80_000)
  })

  describe('beside another one', () => {
    it('lets one wait for the other, and each device has one secret', async () => {
      await write(...Array.from({ length: 8000 }, (_, index) => line(index)))
      const others = [0, 1].map((number) => join(folder, `secrets-${number}.csv`))
      const results = await Promise.all(
        others.map((path) => run({ secretsOut: path, rejects: `${path}.rejects` })),
      )
      assert.deepEqual(
        results.map(counts).sort((one, other) => other.imported - one.imported),
        [
          { imported: 8000, unchanged: 0, rejected: 0 },
          { imported: 0, unchanged: 8000, rejected: 0 },
        ],
      )
      const made = results.find(({ imported }) => imported > 0)?.secretsFile ?? ''
      assert.equal(await requireSecretsMatch(made), 8000)
      assert.equal((await readdir(folder)).length, 2)
    })

    it('says for whom it waits', async () => {
      await write(line(1))
      const told: string[] = []
      workspace = testWorkspace(fresh.database, {
        log: { ...workspace.log, info: (message) => void told.push(message) },
      })
      let importing: Promise<DeviceImport> | undefined
      await fresh.database.transaction(async (transaction) => {
        await transaction.query(
          `select pg_advisory_xact_lock(hashtextextended('cleverctl.device.register', 0))`,
        )
        importing = run()
        const deadline = Date.now() + 20_000
        while (told.length === 0 && Date.now() < deadline) await setTimeout(5)
      })
      assert.equal((await importing)?.imported, 1)
      assert.match(
        told.join('\n'),
        /^waiting for another registration: postgres, process \d+, since 20\S+Z$/,
      )
    })

    it('is not fooled by the same secrets file', async () => {
      await write(...Array.from({ length: 8000 }, (_, index) => line(index)))
      const results = await Promise.all([run(), run()])
      assert.equal(results[0].imported + results[1].imported, 8000)
      assert.equal(results[0].unchanged + results[1].unchanged, 8000)
      assert.equal(await requireSecretsMatch(), 8000)
      assert.deepEqual((await readdir(folder)).sort(), ['factory.csv', 'secrets.csv'])
    })
  })

  describe('after an interrupted one', () => {
    it('keeps the file of a run that had committed', async () => {
      await write(line(1), line(2))
      await run()
      const { link } = await import('node:fs/promises')
      await link(secretsOut, `${secretsOut}.pending`)
      const result = await run()
      assert.deepEqual(counts(result), { imported: 0, unchanged: 2, rejected: 0 })
      assert.equal(result.secretsFile, secretsOut)
      assert.deepEqual((await readdir(folder)).sort(), ['factory.csv', 'secrets.csv'])
      assert.equal(await requireSecretsMatch(), 2)
    })

    it('discards the file of a run that had not', async () => {
      await write(line(1), line(2))
      await writeFile(`${secretsOut}.pending`, 'serial,secret\nCDX-000001,abandoned\n', {
        mode: 0o600,
      })
      await chmod(`${secretsOut}.pending`, 0o600)
      assert.equal((await run()).imported, 2)
      assert.deepEqual((await readdir(folder)).sort(), ['factory.csv', 'secrets.csv'])
      assert.equal(await requireSecretsMatch(), 2)
    })
  })

  describe('whose commit got no answer', () => {
    /** A database whose connection breaks round the commit of the first transaction. */
    function breaking(moment: 'before' | 'after', isReachable = true): Workspace {
      let count = 0
      const lost = new UnreachableError('database-connection-lost', 'the connection was lost')
      const database: Database = {
        target: fresh.database.target,
        query: (statement, values) => fresh.database.query(statement, values),
        connection: (work) => fresh.database.connection(work),
        distrust: () => fresh.database.distrust(),
        pool: () => fresh.database.pool(),
        close: () => fresh.database.close(),
        transaction: async (work) => {
          count += 1
          if (count > 1 && !isReachable) throw lost
          if (count > 1) return fresh.database.transaction(work)
          await fresh.database.transaction(async (transaction) => {
            await work(transaction)
            if (moment === 'before') throw lost
          })
          throw lost
        },
      }
      return testWorkspace(database)
    }

    it('asks the database, and is done when it had committed', async () => {
      await write(line(1))
      workspace = breaking('after')
      assert.deepEqual(counts(await run()), { imported: 1, unchanged: 0, rejected: 0 })
      assert.equal(await requireSecretsMatch(), 1)
      assert.deepEqual((await readdir(folder)).sort(), ['factory.csv', 'secrets.csv'])
    })

    it('asks the database, and leaves nothing when it had not', async () => {
      await write(line(1))
      workspace = breaking('before')
      await failed(run(), UnreachableError)
      assert.deepEqual(await readdir(folder), ['factory.csv'])
      workspace = testWorkspace(fresh.database)
      assert.equal((await run()).imported, 1)
    })

    for (const moment of ['before', 'after'] as const) {
      it(`leaves it to the next run when nobody can be asked (broken ${moment} the commit)`, async () => {
        await write(line(1))
        workspace = breaking(moment, false)
        await failed(run(), UnreachableError)
        assert.deepEqual((await readdir(folder)).sort(), [
          'factory.csv',
          'secrets.csv',
          'secrets.csv.pending',
        ])
        workspace = testWorkspace(fresh.database)
        const { imported, unchanged } = await run()
        assert.deepEqual([imported, unchanged], moment === 'before' ? [1, 0] : [0, 1])
        assert.equal(await requireSecretsMatch(), 1)
        assert.deepEqual((await readdir(folder)).sort(), ['factory.csv', 'secrets.csv'])
      })
    }
  })
})
