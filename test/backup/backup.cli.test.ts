import assert from 'node:assert/strict'
import type { CheckedRepositories } from '../../src/lib/backup/check-repositories.js'
import type { PrunedBackups } from '../../src/lib/backup/prune.js'
import { ExitCode } from '../../src/lib/errors.js'
import type { Document, EstateCommands } from '../support/estate/commands.js'
import type { Estate } from '../support/estate/estate.js'
import { withEstate } from '../support/estate/suite.js'

const { ok, failure, usage, refused, notFound, conflict, unreachable, findings } = ExitCode
const REPOSITORY = '/var/lib/pgbackrest'
const CONFIGURATION = '/etc/pgbackrest/pgbackrest.conf'
const ARCHIVE = `${REPOSITORY}/archive/main/15-1`

describe('cleverctl backup', () => {
  let commands: EstateCommands
  let estate: Estate

  withEstate(async (up) => {
    commands = up
    estate = commands.estate
    await commands.addAll()
  })

  const faults = (document: Document) => document['faults'] as { code: string; message: string }[]
  const codes = (document: Document) => faults(document).map(({ code }) => code)
  /** Lets the primary begin a new segment. @returns the former one, which is in the archive now */
  const archived = async () => {
    await estate.sql('db1', 'create table if not exists mark (n integer)')
    const wal = await estate.sql('db1', 'select pg_walfile_name(pg_switch_wal())')
    await commands.bak1(`until ls ${ARCHIVE}/*/${wal}-* >/dev/null 2>&1; do sleep 0.1; done`)
    await estate.sql('db1', 'insert into mark values (1)')
    return wal
  }
  /** Verifies with a file spoilt, which must be found, and mends it. */
  const spoilt = async (file: string, spoil: string) => {
    await commands.bak1(`cp -a ${file} /tmp/kept; ${spoil}`)
    const document = await commands.json('backup verify', findings)
    await commands.bak1(`cp -a /tmp/kept ${file}`)
    return document
  }
  const overwrite = (file: string, at: number) =>
    `printf XXXXXXXX | dd of=${file} bs=1 seek=${at} conv=notrunc status=none`

  it('says that there is none yet', async () => {
    assert.equal((await commands.json('backup status', findings)).error.code, 'no-backup')
    assert.equal(
      (await commands.json('backup status --ping-url ftp://x', usage)).error.code,
      'bad-ping-url',
    )
    assert.deepEqual((await commands.json('backup list'))['backups'], [])
  })

  it('makes a full one first, from a standby, and then an incremental one from the primary', async () => {
    const first = await commands.json('backup run --type incr')
    assert.match(String(first['label']), /^\d{8}-\d{6}F$/)
    assert.deepEqual([first['type'], first['from'], first['host']], ['full', 'standby', 'bak1'])
    const second = await commands.json('backup run --type incr --from primary')
    assert.deepEqual([second['type'], second['from']], ['incr', 'primary'])
    const { backups } = (await commands.json('backup list')) as unknown as {
      backups: { label: string; prior: string | null }[]
    }
    assert.deepEqual(
      backups.map(({ label, prior }) => [label, prior]),
      [
        [first['label'], null],
        [second['label'], first['label']],
      ],
    )
    const { rows } = await commands.fresh.database.query<{ phase: string }>(
      `select phase from cleverctl.trail where action = 'backup.run' order by seq`,
    )
    assert.deepEqual(
      rows.map(({ phase }) => phase),
      ['intent', 'outcome', 'intent', 'outcome'],
    )
  })

  it('tells from which machine a repository is not reached', async () => {
    const check = async (words: string, code: number = ok) =>
      (await commands.json(`backup repo check${words}`, code)) as unknown as CheckedRepositories
    const { repositories } = await check('')
    assert.deepEqual(
      repositories.map(({ number, soundFrom, backups }) => [number, soundFrom, backups]),
      [[1, ['bak1', 'db1', 'db2', 'db3'], 2]],
    )
    await commands.bak1(
      `sed -i 's|^repo1-path=.*|&\\nrepo2-path=${REPOSITORY}/second|' ${CONFIGURATION}`,
    )
    const second = async () =>
      (await check(' 2', findings)).faults.map(({ host, code }) => `${host} ${code}`)
    const unknown = ['db1', 'db2', 'db3'].map((host) => `${host} not-configured`)
    assert.deepEqual(await second(), ['bak1 no-stanza', 'bak1 not-encrypted', ...unknown])
    await commands.bak1(`su pgbackrest -c 'pgbackrest --stanza=main --no-online stanza-create'`)
    assert.deepEqual(await second(), ['bak1 no-backup', 'bak1 not-encrypted', ...unknown])
    await check(' 1')
    assert.equal((await commands.json('backup repo check 3', notFound)).error.code, 'no-repository')
  })

  it('looks at each repository by itself, whatever another one holds', async () => {
    const { error } = await commands.json('backup status', findings)
    assert.deepEqual(
      [error.code, error.message],
      ['no-backup', 'there is no backup in repository 2'],
    )
    await commands.json('backup status --repo 1')
    const count = async (words: string) =>
      ((await commands.json(`backup ${words}`))['backups'] as unknown[]).length
    const counts = [await count('list --repo 1'), await count('list --repo 2'), await count('list')]
    assert.deepEqual(counts, [2, 0, 2])
    for (const command of ['run', 'list', 'status', 'verify', 'drill'])
      assert.equal(
        (await commands.json(`backup ${command} --repo 3`, notFound)).error.code,
        'no-repository',
        command,
      )
    await commands.bak1(`chmod 000 ${REPOSITORY}/archive/main`)
    const seen = await commands.json('backup verify', findings)
    const unread = seen['notChecked'] as { what: string; reason: string }[]
    assert.deepEqual(
      unread.map(({ what }) => what),
      ['repository 1'],
    )
    assert.match(unread[0]?.reason ?? '', /Permission denied$/)
    assert.deepEqual([seen['repositories'], codes(seen)], [1, ['no-backup', 'wal-gap']])
    await commands.json('backup verify --repo 1', failure)
    assert.equal((await commands.json('backup status', findings)).error.code, 'no-backup')
    assert.equal((await commands.json('backup status --repo 1', findings)).error.code, 'repository')
    await commands.bak1(`chmod 750 ${REPOSITORY}/archive/main`)
    await commands.bak1(`sed -i /^repo2-/d ${CONFIGURATION}; rm -r ${REPOSITORY}/second`)
  })

  it('is fresh until it is older than it may be', async () => {
    await commands.json('backup status --max-age 1h')
    assert.equal(
      (await commands.json('backup status --max-age 1ms', findings)).error.code,
      'backup-old',
    )
  })

  it('refuses a second run while one is under way, and says since when', async () => {
    const first = commands.json('backup run --type full')
    await commands.bak1('until [ -s /tmp/pgbackrest/main-backup.lock ]; do sleep 0.05; done')
    const { error } = await commands.json('backup run', conflict)
    assert.equal(error.code, 'backup-running')
    assert.match(error.message, /process \d+, begun .* UTC/)
    await first
  })

  it('lets a backup go that is old, of which more remain, and which no drill has proven', async () => {
    const words = 'backup prune --keep-within 0 --keep-daily 1 --keep-weekly 0 --keep-monthly 0'
    const look = async (more = '') => {
      const { dryRun, backups } = (await commands.json(words + more)) as unknown as PrunedBackups
      assert.equal(dryRun, more !== ' --yes')
      return backups.map(({ label, outcome, keptFor }) => [label.slice(-1), outcome, keptFor])
    }
    const kept = ['F', 'kept', ['daily']]
    const last = ['F', 'kept', ['last whole one']]
    assert.deepEqual(await look(), [kept, ['I', 'expired', []], last])
    const { database } = commands.fresh
    await database.query(`insert into cleverctl.drill
      (kind, stanza, host, subject, result, begun_at, ended_at)
      select 'backup', 'main', 'bak1', details->>'label', 'proven', now(), now()
      from cleverctl.trail where action = 'backup.run' and details->>'type' = 'incr' and phase = 'outcome'`)
    assert.deepEqual(await look(' --yes'), [
      ['F', 'kept', ['daily', 'needed by another']],
      ['I', 'kept', ['last proven one']],
      last,
    ])
    await database.query('delete from cleverctl.drill')
    assert.deepEqual(await look(' --yes'), [kept, ['I', 'deleted', []], last])
    assert.deepEqual(await look(' --yes'), [kept, last])
    assert.equal(
      (await commands.json('backup prune --keep-daily 0 --keep-weekly 0 --keep-monthly 0', usage))
        .error.code,
      'keeps-nothing',
    )
  })

  it('finds WAL that is missing in the middle or at the end, of a wrong size, or altered', async () => {
    const [middle, last] = [await archived(), await archived()]
    const sound = await commands.json('backup verify')
    assert.deepEqual([sound['faults'], sound['notChecked'], sound['backups']], [[], [], 2])
    const [one, end] = [
      await commands.bak1(`ls ${ARCHIVE}/*/${middle}-*`),
      await commands.bak1(`ls ${ARCHIVE}/*/${last}-*`),
    ]
    for (const [file, wal] of [
      [one, middle],
      [end, last],
    ] as const)
      assert.deepEqual(
        faults(await spoilt(file, `rm ${file}`)).map(({ message }) => message),
        [`${wal} is missing`],
      )
    assert.ok(codes(await spoilt(end, `: >${end}`)).includes('wal-size'))
    assert.deepEqual(codes(await spoilt(end, overwrite(end, 300))), ['archive-invalid'])
  })

  it('finds a byte of a backup that has changed', async () => {
    const bundle = await commands.bak1(`ls ${REPOSITORY}/backup/main/*F/bundle/* | tail -1`)
    assert.ok(codes(await spoilt(bundle, overwrite(bundle, 5000))).includes('backup-invalid'))
  })

  it('takes a backup that is not finished for no damage', async () => {
    const begun = `${REPOSITORY}/backup/main/20991231-235959F`
    await commands.bak1(`install -d -o pgbackrest -g pgbackrest ${begun}
      cp -p "$(ls ${REPOSITORY}/backup/main/*F/backup.manifest.copy | head -1)" ${begun}`)
    await commands.json('backup verify')
    await commands.bak1(`rm -r ${begun}`)
  })

  it('finds a damaged page of the database, which pgBackRest ends with 0 for', async () => {
    await estate.sql('db1', 'create table torn as select n from generate_series(1, 5000) as n')
    // Frozen, so that autovacuum leaves it alone: the next checkpoint would write its page anew, whole.
    await estate.sql('db1', 'vacuum (freeze) torn')
    await estate.sql('db1', 'checkpoint')
    const path = await estate.sql('db1', `select pg_relation_filepath('torn')`)
    const file = `/var/lib/postgresql/15/main/${path}`
    await estate.machine('db1').script(overwrite(file, 12_000))
    const { error } = await commands.json('backup run --type incr --from primary', findings)
    assert.equal(error.code, 'backup-damaged')
    assert.equal((await commands.json('backup status', findings)).error.code, 'backup-damaged')
    await estate.sql('db1', 'drop table torn')
  })

  it('says when backups were stopped, and when the backup machine is out of reach', async () => {
    const pgbackrest = (verb: string) =>
      estate.machine('bak1').run('pgbackrest', ['pgbackrest', '--stanza=main', verb])
    await pgbackrest('stop')
    assert.equal((await commands.json('backup run', refused)).error.code, 'backups-stopped')
    await pgbackrest('start')
    await estate.machine('bak1').powerCut()
    for (const words of ['backup status', 'backup verify', 'backup run'])
      await commands.json(words, unreachable)
    await estate.machine('bak1').boot()
    await commands.json('backup list')
  })

  it('goes on with the new primary after the old one lost its power', async () => {
    await estate.machine('db1').powerCut()
    // The end of the WAL cannot be looked at: nothing was found, and still it is not sound.
    await commands.json('backup verify', unreachable)
    await estate.sql('db2', 'select pg_promote()')
    // Until then pgBackRest does not believe the new timeline.
    await estate.sql('db2', 'checkpoint')
    const run = await commands.json('backup run --type full --from primary')
    assert.deepEqual([run['type'], run['from']], ['full', 'primary'])
    assert.deepEqual((await commands.json('backup verify'))['faults'], [])
  })
})
