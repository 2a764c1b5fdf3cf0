import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCli, runCliTty, type CliResult } from '../support/cli.js'
import { freshDatabase, type FreshDatabase } from '../support/database.js'

describe('cleverctl installation and device', () => {
  let fresh: FreshDatabase
  let home: string

  before(async () => {
    fresh = await freshDatabase()
    home = await mkdtemp(join(tmpdir(), 'cctl-registry-'))
  })
  after(async () => {
    await rm(home, { recursive: true })
    await fresh.drop()
  })

  const options = () => ({ env: { CLEVERCTL_DATABASE_URL: fresh.url }, home, cwd: home })
  const run = (...args: string[]): Promise<CliResult> => runCli(args, options())
  async function json(code: number, ...args: string[]): Promise<Record<string, unknown>> {
    const result = await run(...args, '--json')
    assert.equal(result.code, code, result.stdout + result.stderr)
    return result.json() as Record<string, unknown>
  }
  const create = [
    ...[
      'installation',
      'create',
      'solar-0042',
      '--name',
      'Almeria 42',
      '--timezone',
      'Europe/Madrid',
    ],
    ...['--latitude', '36.84', '--longitude', '-2.46'],
  ]

  it('creates an installation west of Greenwich, twice', async () => {
    assert.equal((await json(0, ...create))['outcome'], 'created')
    const again = await json(0, ...create)
    assert.deepEqual([again['outcome'], again['longitude']], ['unchanged', -2.46])
    assert.equal((await json(6, ...create.slice(0, -1), '2.46'))['imported'], undefined)
  })

  it('names the flag whose value is no number of degrees', async () => {
    const result = await run(...create.slice(0, -1), 'west')
    assert.equal(result.code, 2)
    assert.match(result.stderr, /--longitude: a longitude is a number of degrees/)
  })

  it('shows and lists installations, tab-separated in a pipe', async () => {
    await json(0, ...create)
    const { code, stdout } = await run('installation', 'list', '--code-prefix', 'solar-0042')
    assert.equal(code, 0)
    assert.equal(stdout, 'solar-0042\tAlmeria 42\tactive\t0\tEurope/Madrid\n')
    const shown = await json(0, 'installation', 'show', 'solar-0042')
    assert.deepEqual([shown['devices'], shown['currentKeyId']], [0, null])
    await json(5, 'installation', 'show', 'solar-9999')
  })

  it('imports installations from a file', async () => {
    const file = join(home, 'plants.csv')
    await writeFile(file, 'code,name,timezone,latitude,longitude\nsolar-0043,B,UTC,1,-1\nbad\n')
    const result = await json(3, 'installation', 'import', file)
    assert.deepEqual([result['imported'], result['dryRun']], [1, false])
  })

  it('registers a device, its secret in a file that nobody else can read', async () => {
    const result = await json(0, 'device', 'register', 'CDX-000123', '--secrets-out', 'secrets.csv')
    assert.deepEqual([result['registered'], result['secretsFile']], [1, 'secrets.csv'])
    assert.match(
      await readFile(join(home, 'secrets.csv'), 'utf8'),
      /^serial,secret\nCDX-000123,clvd_[\w-]{43}_\w{6}\n$/,
    )
  })

  it('refuses to register where the secret would be lost', async () => {
    const lost = [['LOST-1'], ['LOST-1', '--json'], ['LOST-1', 'LOST-2', '--reveal']]
    for (const args of lost) {
      const result = await run('device', 'register', ...args)
      assert.equal(result.code, 2)
      assert.match(result.stdout + result.stderr, /--secrets-out/)
    }
    await json(5, 'device', 'show', 'LOST-1')
  })

  it('shows the secret of one device on a terminal, or in the result when asked', async () => {
    const shown = await runCliTty(['device', 'register', 'SHOWN-1'], options())
    assert.equal(shown.code, 0, shown.stdout)
    assert.match(shown.stdout, /clvd_[\w-]{43}_\w{6}/)
    const { secret } = await json(0, 'device', 'register', 'SHOWN-2', '--reveal')
    assert.match(String(secret), /^clvd_[\w-]{43}_\w{6}$/)
    const again = await json(0, 'device', 'register', 'SHOWN-2', '--reveal')
    assert.deepEqual([again['unchanged'], again['secret']], [1, undefined])
  })

  it('rotates a secret into a file and refuses to lose it', async () => {
    await json(0, 'device', 'register', 'ROTATED-1', '--reveal')
    const lost = await run('device', 'rotate-secret', 'ROTATED-1')
    assert.equal(lost.code, 2)
    assert.match(lost.stderr, /--output/)
    const args = ['device', 'rotate-secret', 'ROTATED-1', '--grace', '24h', '--output', 'new.txt']
    assert.equal((await json(0, ...args))['outcome'], 'rotated')
    assert.match(await readFile(join(home, 'new.txt'), 'utf8'), /^clvd_[\w-]{43}_\w{6}\n$/)
    assert.equal((await run(...args)).code, 6)
  })

  it('revokes only after a yes, and names what is unknown', async () => {
    await json(0, 'device', 'register', 'STOLEN-1', 'STOLEN-2', '--secrets-out', 'stolen.csv')
    const args = ['device', 'revoke', 'STOLEN-1', '--reason', 'stolen']
    const asked = await run(...args)
    assert.equal(asked.code, 2)
    assert.match(asked.stderr, /--yes/)
    assert.deepEqual((await json(0, ...args, '--yes'))['revoked'], ['STOLEN-1'])
    assert.deepEqual((await json(0, ...args, '--yes'))['unchanged'], ['STOLEN-1'])
    const more = ['device', 'revoke', 'STOLEN-2', 'STOLEN-9', '--reason', 'stolen', '--yes']
    const some = await json(3, ...more)
    assert.deepEqual([some['revoked'], some['notFound']], [['STOLEN-2'], ['STOLEN-9']])
  })

  it('lists and shows devices', async () => {
    await json(0, 'device', 'register', 'LIST-01', 'LIST-02', '--secrets-out', 'list.csv')
    await json(0, 'device', 'revoke', 'LIST-01', '--reason', 'lost', '--yes')
    const prefix = ['--serial-prefix', 'LIST-']
    const { devices, nextCursor } = (await json(
      0,
      'device',
      'list',
      ...prefix,
      '--limit',
      '1',
    )) as {
      devices: { serial: string; state: string }[]
      nextCursor: string
    }
    assert.deepEqual(
      [devices.length, devices[0]?.serial, devices[0]?.state, nextCursor],
      [1, 'LIST-01', 'revoked', 'LIST-01'],
    )
    const { stdout } = await run('device', 'list', ...prefix, '--state', 'manufactured')
    assert.match(stdout, /^LIST-02\tmanufactured\t-\tCleverDx\tsingle\t20\d\d-\S+Z\n$/)
    const shown = await json(0, 'device', 'show', 'LIST-01')
    assert.deepEqual([shown['revokeReason'], shown['placements']], ['lost', []])
    const unknown = await json(5, 'device', 'show', 'list-1')
    assert.equal(
      (unknown['error'] as { suggestions: string[] }).suggestions[0],
      'did you mean LIST-01?',
    )
    assert.equal((await json(0, 'device', 'remove', 'LIST-02'))['outcome'], 'unchanged')
  })

  it('retires an installation only after a yes', async () => {
    await json(0, ...create.map((word) => (word === 'solar-0042' ? 'solar-0044' : word)))
    assert.equal((await run('installation', 'retire', 'solar-0044')).code, 2)
    const retire = ['installation', 'retire', 'solar-0044', '--yes']
    assert.equal((await json(0, ...retire))['outcome'], 'retired')
    assert.equal((await json(0, ...retire))['outcome'], 'unchanged')
  })

  it('leaves stdin to the loop it stands in', async () => {
    const result = await runCli(['installation', 'list', '--json'], {
      ...options(),
      input: { open: true },
    })
    assert.equal(result.code, 0)
  })
})
