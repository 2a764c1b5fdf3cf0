import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCli, runCliTty, type CliResult } from '../../support/cli.js'
import { freshDatabase, type FreshDatabase } from '../../support/database.js'
import { preparePlant } from '../../support/plant.js'

interface Document {
  findings: { kind: string; serial: string; installation: string; severity: string; next: string }[]
  counts: Record<string, number>
  notChecked: unknown[]
  error?: { code: string; exitCode: number; message: string }
}

interface Sarif {
  version: string
  runs: {
    tool: { driver: { rules: { id: string }[] } }
    invocations: { executionSuccessful: boolean }[]
    results: {
      ruleId: string
      level: string
      message: { text: string }
      locations: { logicalLocations: { fullyQualifiedName: string; kind: string }[] }[]
      partialFingerprints: Record<string, string>
    }[]
  }[]
}

describe('cleverctl device audit', () => {
  let fresh: FreshDatabase
  let empty: FreshDatabase
  let home: string

  before(async () => {
    fresh = await freshDatabase()
    empty = await freshDatabase()
    home = await mkdtemp(join(tmpdir(), 'cctl-audit-'))
    const plant = await preparePlant(fresh.database)
    // Installed yesterday and never seen.
    await plant.addDevice('CDX-000123', plant.installation)
    await plant.addDevice('CDX-000124', plant.installation)
    await fresh.database.query(
      `update cleverctl.api_key set created_at = now() - interval '400 days';
       update cleverctl.placement set during = tstzrange(now() - interval '30 hours', null)`,
    )
  })

  after(async () => {
    await rm(home, { recursive: true, force: true })
    await fresh.drop()
    await empty.drop()
  })

  const options = (database = fresh) => ({
    env: { CLEVERCTL_DATABASE_URL: database.url },
    home,
    cwd: home,
  })
  const run = (...flags: string[]): Promise<CliResult> =>
    runCli(['device', 'audit', ...flags], options())
  const documentOf = (result: CliResult) => result.json() as Document

  it('ends with 8 and tells each finding, its evidence and the next command', async () => {
    const [json, text] = await Promise.all([run('--json'), run()])
    assert.deepEqual([json.code, text.code], [8, 8])
    const { findings, counts, notChecked, error } = documentOf(json)
    assert.deepEqual(
      findings.map(({ kind, serial, installation, next }) => [kind, serial, installation, next]),
      [
        ['mute', 'CDX-000123', 'solar-0042', 'cleverctl device show CDX-000123'],
        ['mute', 'CDX-000124', 'solar-0042', 'cleverctl device show CDX-000124'],
        ['stale-key', null, 'solar-0042', 'cleverctl api-key rotate solar-0042'],
      ],
    )
    assert.deepEqual([counts['mute'], counts['stale-key'], counts['ghost']], [2, 1, 0])
    assert.deepEqual(notChecked, [])
    assert.equal(error?.code, 'devices-need-attention')
    assert.equal(json.stderr, '')
    const [first] = text.stdout.split('\n')
    assert.match(
      first ?? '',
      /^warning\tmute\tCDX-000123\tsolar-0042\tnever seen, installed \d{4}-\S+Z\tcleverctl device show CDX-000123$/,
    )
    assert.match(text.stderr, /^error: 3 findings\nhint: /)
  })

  it('ends with 0 and says nothing in a pipe when nothing is found', async () => {
    const [clean, fixed] = await Promise.all([
      runCli(['device', 'audit', '--json'], options(empty)),
      run('--silent-for', '2d', '--key-age', '500d'),
    ])
    assert.deepEqual([clean.code, fixed.code, fixed.stdout], [0, 0, ''])
    assert.deepEqual(documentOf(clean).findings, [])
    const screen = await runCliTty(['device', 'audit'], options(empty))
    assert.match(screen.stdout, /^✓ ok +nothing was found$/m)
  })

  it('is drawn by kind on a terminal, with the count and the next step', async () => {
    const { stdout, code } = await runCliTty(['device', 'audit'], { ...options(), columns: 80 })
    assert.equal(code, 8)
    assert.deepEqual(stdout.split('\n').slice(0, 7), [
      '! warning  mute  2: is installed and says nothing',
      'SERIAL      INSTALLATION  SEEN',
      'CDX-000123  solar-0042    never seen, installed yesterday',
      'CDX-000124  solar-0042    never seen, installed yesterday',
      'next, for CDX-000123:',
      '  → cleverctl device show CDX-000123',
      '',
    ])
  })

  it('writes the same as SARIF, alike in every run, and replaces what was there', async () => {
    const file = join(home, 'audit.sarif')
    await writeFile(file, 'of an earlier run')
    const read = async () => JSON.parse(await readFile(file, 'utf8')) as Sarif
    assert.equal((await run('--sarif', file)).code, 8)
    const [first] = (await read()).runs
    assert.equal((await run('--sarif', file, '--json')).code, 8)
    const [second] = (await read()).runs
    const prints = (of: typeof first) => of?.results.map(({ partialFingerprints: each }) => each)
    assert.deepEqual(prints(first), prints(second))
    assert.equal(new Set(prints(first)?.map((each) => JSON.stringify(each))).size, 3)
    assert.equal(first?.tool.driver.rules.length, 10)
    assert.equal(first?.invocations[0]?.executionSuccessful, true)
    const [mute] = first?.results ?? []
    assert.deepEqual(
      [mute?.ruleId, mute?.level, mute?.locations[0]?.logicalLocations[0]],
      ['mute', 'warning', { fullyQualifiedName: 'solar-0042/CDX-000123', kind: 'device' }],
    )
    assert.match(mute?.message.text ?? '', /^CDX-000123 is installed and says nothing: never seen/)
  })

  it('refuses wrong input before it looks at anything', async () => {
    await mkdir(join(home, 'folder'))
    for (const [flags, code, message] of [
      [['--kind', 'poltergeist'], 2, /--kind/],
      [['--kind', 'shelf-warmer', '--installation', 'solar-0042'], 2, /cannot be narrowed down/],
      [['--installation', 'solar-none'], 5, /no installation/],
      [['--batch', 'B-none'], 5, /no device was made in this batch/],
      [['--since', 'yesterday'], 2, /--since/],
      [['--limit', '0'], 2, /--limit/],
      [['--sarif', join(home, 'folder')], 2, /is a folder/],
      [['--sarif', join(home, 'nowhere', 'audit.sarif')], 2, /is not there/],
    ] as const) {
      const [text, json] = await Promise.all([run(...flags), run(...flags, '--json')])
      assert.deepEqual([text.code, json.code, text.stdout], [code, code, ''], flags.join(' '))
      assert.match(text.stderr, message)
      assert.equal(documentOf(json).error?.exitCode, code)
    }
  })

  it('takes the longest age there is', async () => {
    const old = '36500d'
    const ages = ['since', 'shelf-age', 'silent-for', 'key-age', 'secret-age', 'skew']
    const result = await run(...ages.flatMap((age) => [`--${age}`, old]))
    assert.equal(result.code, 0, result.stderr)
  })

  it('is not green without a database', async () => {
    const result = await runCli(['device', 'audit', '--json'])
    assert.equal(result.code, 7)
  })

  it('tells its findings even where the SARIF file cannot be written, and does not end with 8', async () => {
    const result = await run('--sarif', '/proc/audit.sarif', '--json')
    assert.equal(result.code, 1)
    const { error, findings } = documentOf(result)
    assert.deepEqual([error?.code, findings.length], ['cannot-write', 3])
  })
})
