import assert from 'node:assert/strict'
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConflictError, NotFoundError, PartialError, UsageError } from '../../src/lib/errors.js'
import { createInstallation } from '../../src/lib/installation/create.js'
import { importInstallations, type InstallationImport } from '../../src/lib/installation/import.js'
import { listInstallations } from '../../src/lib/installation/list.js'
import { retireInstallation } from '../../src/lib/installation/retire.js'
import { getInstallation } from '../../src/lib/installation/show.js'
import type { InstallationFacts } from '../../src/lib/installation/types.js'
import type { FileImportOptions } from '../../src/lib/rows/file-import.js'
import type { Workspace } from '../../src/lib/workspace.js'
import { contentOf } from '../support/content.js'
import { freshDatabase, testClock, testWorkspace, type FreshDatabase } from '../support/database.js'

const ALMERIA: InstallationFacts = {
  code: 'solar-0042',
  name: 'Almeria 42',
  timezone: 'Europe/Madrid',
  latitude: 36.84,
  longitude: -2.46,
}

describe('installations', () => {
  let fresh: FreshDatabase
  let folder: string
  let workspace: Workspace

  before(async () => {
    fresh = await freshDatabase()
  })
  after(() => fresh.drop())
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cctl-installation-'))
    workspace = testWorkspace(fresh.database, { clock: testClock('2026-06-01T12:00:00Z') })
    await fresh.database.query(
      'truncate cleverctl.installation, cleverctl.device, cleverctl.installer cascade',
    )
  })
  afterEach(() => rm(folder, { recursive: true }))

  const content = () => contentOf((statement) => fresh.database.query(statement))

  async function epochOf(code: string): Promise<number | undefined> {
    const { rows } = await fresh.database.query<{ token_epoch: number }>(
      'select token_epoch from cleverctl.installation where code = $1',
      [code],
    )
    return rows[0]?.token_epoch
  }

  async function lastTrail(): Promise<unknown> {
    const { rows } = await fresh.database.query(
      'select action, subject, details from cleverctl.trail order by seq desc limit 1',
    )
    return rows[0]
  }

  /** Two devices, which stand at an installation. */
  async function placeDevices(code: string): Promise<void> {
    await fresh.database.query(
      `insert into cleverctl.device (serial, model, batch, manufactured_at, secret_sha256)
       select 'CDX-' || number, 'CleverDx', 'B-1', '2026-01-31', sha256(number::text::bytea)
       from generate_series(1, 2) as number`,
    )
    await fresh.database.query(
      `insert into cleverctl.installer (email, name, password_hash) values ('installer@example.com', 'Installer', '-')`,
    )
    await fresh.database.query(
      `insert into cleverctl.placement (device_id, installation_id, installer_id, during)
       select device.id, installation.id, installer.id, tstzrange('2026-02-01', null)
       from cleverctl.device, cleverctl.installation, cleverctl.installer where installation.code = $1`,
      [code],
    )
  }

  describe('create', () => {
    it('enters a plant, and changes nothing the second time', async () => {
      assert.deepEqual(await createInstallation(workspace, ALMERIA), {
        ...ALMERIA,
        outcome: 'created',
      })
      const { code, ...details } = ALMERIA
      assert.deepEqual(await lastTrail(), { action: 'installation.create', subject: code, details })
      const before = await content()
      assert.deepEqual(await createInstallation(workspace, ALMERIA), {
        ...ALMERIA,
        outcome: 'unchanged',
      })
      assert.deepEqual(await content(), before)
    })

    it('writes a time zone as IANA does, whatever capitals were typed', async () => {
      const { timezone } = await createInstallation(workspace, {
        ...ALMERIA,
        timezone: 'europe/MADRID',
      })
      assert.equal(timezone, 'Europe/Madrid')
      const again = await createInstallation(workspace, ALMERIA)
      assert.equal(again.outcome, 'unchanged')
      const kolkata = { ...ALMERIA, code: 'solar-0043', timezone: 'Asia/Kolkata' }
      assert.equal((await createInstallation(workspace, kolkata)).timezone, 'Asia/Kolkata')
    })

    it('never takes the code of another one over', async () => {
      await createInstallation(workspace, ALMERIA)
      const before = await content()
      const others: Partial<InstallationFacts>[] = [
        { name: 'Other' },
        { timezone: 'Europe/Paris' },
        { latitude: 36.85 },
        { longitude: 2.46 },
      ]
      for (const other of others) {
        await assert.rejects(createInstallation(workspace, { ...ALMERIA, ...other }), ConflictError)
      }
      await retireInstallation(workspace, { code: ALMERIA.code, withDevices: false })
      await assert.rejects(createInstallation(workspace, ALMERIA), ConflictError)
      assert.notDeepEqual(await content(), before)
    })

    it('lets one of many at once create it, and says unchanged to the others', async () => {
      const all = await Promise.all(
        Array.from({ length: 5 }, () => createInstallation(workspace, ALMERIA)),
      )
      assert.deepEqual(all.map(({ outcome }) => outcome).sort(), [
        'created',
        ...Array.from({ length: 4 }, () => 'unchanged'),
      ])
    })

    const bad: [Partial<InstallationFacts>, string][] = [
      [{ code: 'Solar-0042' }, 'bad-code'],
      [{ code: '-solar' }, 'bad-code'],
      [{ code: 's' }, 'bad-code'],
      [{ code: 'x'.repeat(64) }, 'bad-code'],
      [{ code: "solar'; drop table x; --" }, 'bad-code'],
      [{ code: 'solar-0042\n' }, 'bad-code'],
      [{ name: '' }, 'bad-name'],
      [{ name: ' Almeria' }, 'bad-name'],
      [{ name: 'a\u0000b' }, 'bad-name'],
      [{ name: 'x'.repeat(201) }, 'bad-name'],
      [{ timezone: 'Europe/Atlantis' }, 'bad-timezone'],
      [{ timezone: '+01:00' }, 'bad-timezone'],
      [{ timezone: '' }, 'bad-timezone'],
    ]
    for (const [values, code] of bad) {
      it(`refuses ${JSON.stringify(values)}`, async () => {
        await assert.rejects(createInstallation(workspace, { ...ALMERIA, ...values }), (error) => {
          assert.ok(error instanceof UsageError)
          assert.equal(error.code, code)
          return true
        })
      })
    }
  })

  describe('show', () => {
    it('tells the facts, the devices and the key in force, never the key', async () => {
      await createInstallation(workspace, ALMERIA)
      await placeDevices(ALMERIA.code)
      const shown = {
        ...ALMERIA,
        state: 'active',
        devices: 2,
        createdAt: '2026-06-01T12:00:00.000Z',
        retiredAt: null,
      }
      const show = () => getInstallation(workspace, { code: ALMERIA.code })
      assert.deepEqual(await show(), { ...shown, currentKeyId: null })
      await fresh.database.query(
        `insert into cleverctl.api_key (key_id, installation_id, version, state, digest)
         select 'abcdEFGH', id, 1, 'CURRENT', sha256('x') from cleverctl.installation`,
      )
      assert.deepEqual(await show(), { ...shown, currentKeyId: 'abcdEFGH' })
      await fresh.database.query(`update cleverctl.api_key set expires_at = '2026-06-01T12:00:00Z'`)
      assert.deepEqual(await show(), { ...shown, currentKeyId: null })
    })

    it('does not know an unknown one', async () => {
      await assert.rejects(getInstallation(workspace, { code: 'solar-9999' }), NotFoundError)
    })
  })

  describe('list', () => {
    it('lists page by page, filtered', async () => {
      for (const code of ['solar-0044', 'solar-0042', 'wind-0001', 'solar-0043']) {
        await createInstallation(workspace, { ...ALMERIA, code })
      }
      await retireInstallation(workspace, { code: 'solar-0043', withDevices: false })
      const codes = async (filter: Parameters<typeof listInstallations>[1]) => {
        const { installations, nextCursor } = await listInstallations(workspace, filter)
        return [installations.map(({ code }) => code).join(' '), nextCursor]
      }
      assert.deepEqual(await codes({ limit: 4 }), [
        'solar-0042 solar-0043 solar-0044 wind-0001',
        undefined,
      ])
      assert.deepEqual(await codes({ limit: 2 }), ['solar-0042 solar-0043', 'solar-0043'])
      assert.deepEqual(await codes({ limit: 2, cursor: 'solar-0043' }), [
        'solar-0044 wind-0001',
        undefined,
      ])
      assert.deepEqual(await codes({ limit: 9, state: 'active' }), [
        'solar-0042 solar-0044 wind-0001',
        undefined,
      ])
      assert.deepEqual(await codes({ limit: 9, state: 'retired' }), ['solar-0043', undefined])
      assert.deepEqual(await codes({ limit: 9, codePrefix: 'solar-004' }), [
        'solar-0042 solar-0043 solar-0044',
        undefined,
      ])
      assert.deepEqual(await codes({ limit: 9, codePrefix: '%' }), ['', undefined])
    })
  })

  describe('retire', () => {
    it('ends it for good, its tokens with it, once', async () => {
      await createInstallation(workspace, ALMERIA)
      const retire = () => retireInstallation(workspace, { code: ALMERIA.code, withDevices: false })
      const retiredAt = '2026-06-01T12:00:00.000Z'
      assert.deepEqual(await retire(), {
        code: ALMERIA.code,
        outcome: 'retired',
        devicesRemoved: 0,
        retiredAt,
      })
      assert.equal(await epochOf(ALMERIA.code), 1)
      const before = await content()
      assert.deepEqual(await retire(), {
        code: ALMERIA.code,
        outcome: 'unchanged',
        devicesRemoved: 0,
        retiredAt,
      })
      assert.deepEqual(await content(), before)
    })

    it('is refused while devices stand there, unless they go with it', async () => {
      await createInstallation(workspace, ALMERIA)
      await placeDevices(ALMERIA.code)
      const before = await content()
      await assert.rejects(
        retireInstallation(workspace, { code: ALMERIA.code, withDevices: false }),
        ConflictError,
      )
      assert.deepEqual(await content(), before)
      const { devicesRemoved } = await retireInstallation(workspace, {
        code: ALMERIA.code,
        withDevices: true,
      })
      assert.equal(devicesRemoved, 2)
      const { rows } = await fresh.database.query(
        'select distinct upper(during) as until, removed_by as "removedBy" from cleverctl.placement',
      )
      assert.deepEqual(rows, [
        { until: new Date('2026-06-01T12:00:00Z'), removedBy: 'staff:tester' },
      ])
      assert.deepEqual(await lastTrail(), {
        action: 'installation.retire',
        subject: ALMERIA.code,
        details: { devicesRemoved: 2 },
      })
    })

    it('does not know an unknown one', async () => {
      await assert.rejects(
        retireInstallation(workspace, { code: 'x1', withDevices: false }),
        NotFoundError,
      )
    })
  })

  describe('import', () => {
    const input = (): string => join(folder, 'plants.csv')
    const run = (options: Partial<FileImportOptions> = {}): Promise<InstallationImport> =>
      importInstallations(workspace, {
        input: input(),
        isStrict: false,
        isDryRun: false,
        ...options,
      })
    const write = (...rows: string[]): Promise<void> =>
      writeFile(input(), ['code,name,timezone,latitude,longitude', ...rows, ''].join('\n'))
    const counts = ({ imported, unchanged, rejected }: InstallationImport) => [
      imported,
      unchanged,
      rejected,
    ]

    it('enters what the file lists, and says unchanged the second time', async () => {
      await write('solar-0042,"Almeria, 42",Europe/Madrid,36.84,-2.46', 'solar-0043,B,UTC,+1,180')
      assert.deepEqual(counts(await run()), [2, 0, 0])
      const { name, longitude } = await getInstallation(workspace, { code: 'solar-0042' })
      assert.deepEqual([name, longitude], ['Almeria, 42', -2.46])
      const before = await content()
      assert.deepEqual(counts(await run()), [0, 2, 0])
      assert.deepEqual(await content(), before)
    })

    it('reads numbers of NDJSON', async () => {
      await writeFile(input(), JSON.stringify(ALMERIA))
      assert.deepEqual(counts(await run()), [1, 0, 0])
      assert.deepEqual(counts(await run()), [0, 1, 0])
    })

    it('refuses rows one by one', async () => {
      await createInstallation(workspace, ALMERIA)
      await createInstallation(workspace, { ...ALMERIA, code: 'solar-0041' })
      await retireInstallation(workspace, { code: 'solar-0041', withDevices: false })
      await write(
        'solar-0050,A,Europe/Madrid,36.84,-2.46',
        'Solar,A,Europe/Madrid,36.84,-2.46',
        'solar-0051,A,Europe/Atlantis,36.84,-2.46',
        'solar-0052,A,Europe/Madrid,90.1,-2.46',
        'solar-0053,A,Europe/Madrid,36.84,0x10',
        'solar-0054,,Europe/Madrid,36.84,-2.46',
        'solar-0050,A,Europe/Madrid,36.84,-2.46',
        'solar-0042,Other,Europe/Madrid,36.84,-2.46',
        'solar-0041,Almeria 42,Europe/Madrid,36.84,-2.46',
        'solar-0055',
      )
      await assert.rejects(run(), (error) => {
        assert.ok(error instanceof PartialError)
        const result = error.result as InstallationImport
        assert.deepEqual(counts(result), [1, 0, 9])
        assert.deepEqual(
          result.rejects.map(({ line, installation, code }) => [line, installation, code]),
          [
            [3, 'Solar', 'bad-code'],
            [4, 'solar-0051', 'bad-timezone'],
            [5, 'solar-0052', 'bad-latitude'],
            [6, 'solar-0053', 'bad-longitude'],
            [7, 'solar-0054', 'missing-field'],
            [8, 'solar-0050', 'duplicate-code'],
            [9, 'solar-0042', 'exists-differently'],
            [10, 'solar-0041', 'exists-differently'],
            [11, null, 'wrong-field-count'],
          ],
        )
        assert.equal(result.rejectsFile, `${input()}.rejects.csv`)
        return true
      })
      assert.equal(
        (await readFile(`${input()}.rejects.csv`, 'utf8')).trimEnd().split('\n').length,
        10,
      )
    })

    it('refuses all for one when it is strict', async () => {
      await write('solar-0042,A,UTC,1,1', 'bad')
      const before = await content()
      await assert.rejects(run({ isStrict: true }), (error) => {
        assert.ok(error instanceof UsageError)
        assert.deepEqual(counts(error.result as InstallationImport), [0, 0, 1])
        return true
      })
      assert.deepEqual(await content(), before)
    })

    it('writes nothing in a dry run', async () => {
      await createInstallation(workspace, ALMERIA)
      await write('solar-0042,Almeria 42,Europe/Madrid,36.84,-2.46', 'solar-0043,A,UTC,1,1', 'bad')
      const before = await content()
      await assert.rejects(run({ isDryRun: true }), (error) => {
        assert.ok(error instanceof PartialError)
        assert.deepEqual(counts(error.result as InstallationImport), [1, 1, 1])
        return true
      })
      assert.deepEqual(await content(), before)
      assert.deepEqual(await readdir(folder), ['plants.csv'])
    })
  })
})
