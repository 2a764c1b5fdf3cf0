import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Log } from 'sarif'
import { generateApiKey } from '../../src/lib/api-key/format.js'
import { issueApiKey } from '../../src/lib/api-key/issue.js'
import { revokeApiKey } from '../../src/lib/api-key/revoke.js'
import { rotateApiKey } from '../../src/lib/api-key/rotate.js'
import type { Leak, ScanReport } from '../../src/lib/api-key/scan/types.js'
import { systemClock, systemRandom } from '../../src/lib/clock.js'
import { deviceSecretDigest, makeDeviceSecret } from '../../src/lib/device/secret.js'
import { ExitCode } from '../../src/lib/errors.js'
import type { SecretDelivery } from '../../src/lib/secret-delivery.js'
import { PROGRAM, runCli, runCliTty, type CliOptions } from '../support/cli.js'
import { freshDatabase, testWorkspace, type FreshDatabase } from '../support/database.js'
import { roleDatabase, type RoleDatabase } from '../support/roles.js'

const { ok, failure, usage, partial, notFound, unreachable, findings } = ExitCode
const MIB = 1024 * 1024
/** A key of ours in form only. */
const FOREIGN = generateApiKey(systemRandom).apiKey.reveal()
const DEVICE_SECRET = makeDeviceSecret(systemRandom).reveal()
const FORMER_SECRET = makeDeviceSecret(systemRandom).reveal()
const BARE_SECRET = 'b'.repeat(43)

type Report = ScanReport & { error?: { code: string; exitCode: number } }

describe('api-key scan', () => {
  let fresh: FreshDatabase
  let staff: RoleDatabase
  let root: string
  let folder: string
  /** The keys of one installation by what has become of them. */
  const keys = { current: '', grace: '', retired: '', revoked: '', expired: '' }
  let numbers = 0
  let isWhole = false

  before(async () => {
    fresh = await freshDatabase()
    staff = await roleDatabase(fresh, 'cleverctl_staff')
    root = mkdtempSync(join(tmpdir(), 'cctl-scan-'))
    // A plain user must be able to enter it.
    chmodSync(root, 0o755)
    await plant('solar-0042')
    keys.retired = (await issue('solar-0042')).text
    keys.revoked = await rotate('solar-0042', 0)
    await revokeApiKey(workspace(), { installation: 'solar-0042', keyId: undefined, reason: 'old' })
    keys.grace = (await issue('solar-0042')).text
    keys.current = await rotate('solar-0042', 3_600_000)
    await plant('solar-0043')
    const expired = await issue('solar-0043', 1000)
    keys.expired = expired.text
    await fresh.database.query(
      `update cleverctl.api_key set expires_at = now() - interval '1 s' where key_id = $1`,
      [expired.keyId],
    )
    await fresh.database.query(
      `insert into cleverctl.device (serial, model, batch, manufactured_at, secret_sha256,
         previous_secret_sha256, previous_secret_until)
       values ('CDX-000123', 'CleverDx', 'B-1', '2026-01-02', $1, $2, now() - interval '1 day'),
         ('CDX-000124', 'CleverDx', 'B-1', '2026-01-02', $3, null, null)`,
      [DEVICE_SECRET, FORMER_SECRET, BARE_SECRET].map(deviceSecretDigest),
    )
    isWhole = true
  })

  after(async () => {
    await staff.close()
    await fresh.drop()
    rmSync(root, { recursive: true, force: true })
    assert.ok(isWhole)
  })

  beforeEach(() => {
    folder = join(root, String((numbers += 1)))
    mkdirSync(folder)
  })

  const workspace = () => testWorkspace(staff.database, { clock: systemClock })

  async function plant(code: string): Promise<void> {
    await fresh.database.query(
      `insert into cleverctl.installation (code, name, timezone, latitude, longitude)
       values ($1, 'Almeria', 'Europe/Madrid', 36.84, -2.46)`,
      [code],
    )
  }

  /** Delivers into a text. */
  function kept(): SecretDelivery & { text: string } {
    const delivery = {
      text: '',
      resume: async () => false,
      stage: async (secret: { reveal(): string }) => {
        delivery.text = secret.reveal()
      },
      finish: async () => undefined,
      discard: async () => undefined,
      revealed: () => undefined,
    }
    return delivery
  }

  async function issue(installation: string, lifetimeMs?: number) {
    const delivery = kept()
    const made = await issueApiKey(workspace(), { installation, lifetimeMs, delivery })
    return { text: delivery.text, keyId: made.keyId }
  }

  async function rotate(installation: string, graceMs: number): Promise<string> {
    const delivery = kept()
    const overlap = { graceMs, adoption: undefined }
    await rotateApiKey(workspace(), { installation, overlap, lifetimeMs: undefined, delivery })
    return delivery.text
  }

  const write = (name: string, content: string | Buffer) =>
    writeFileSync(join(folder, name), content)

  const options = (more: CliOptions = {}): CliOptions => ({
    cwd: folder,
    ...more,
    env: { CLEVERCTL_DATABASE_URL: staff.url, ...more.env },
  })

  /** Runs a scan; whatever it says must hold no secret. */
  async function scan(code: number, words: readonly string[], more: CliOptions = {}) {
    const result = await runCli(['api-key', 'scan', ...words, '--json'], options(more))
    assert.equal(result.code, code, result.stdout + result.stderr)
    mustHoldNoSecret(result.stdout + result.stderr)
    return result.json() as Report
  }

  function mustHoldNoSecret(text: string): void {
    const secrets = [...Object.values(keys), FOREIGN, DEVICE_SECRET, FORMER_SECRET, BARE_SECRET]
    for (const secret of secrets) assert.ok(!text.includes(secret.slice(-50)), text)
    assert.doesNotMatch(text, /clv_\w+_\w{8}_\w{43}|clvd_[\w-]{43}/)
  }

  const idOf = (key: string) => key.slice(9, 17)
  const places = (report: Report) =>
    report.findings.map(({ file, line, column }) => `${file}:${line}:${column}`)

  it('says of every find what it is, which installation it opens and what to type next', async () => {
    const { current, grace, retired, revoked, expired } = keys
    const swapped = `${current.slice(0, 18)}${FOREIGN.slice(18)}`
    const lines = [current, grace, retired, revoked, expired, FOREIGN, swapped]
    write('all.txt', [...lines, DEVICE_SECRET, FORMER_SECRET].join('\n'))
    const report = await scan(findings, ['.'])
    const told = (leak: Leak) => [leak.state, leak.live, leak.installation ?? leak.serial]
    assert.deepEqual(report.findings.map(told), [
      ['CURRENT', true, 'solar-0042'],
      ['GRACE', true, 'solar-0042'],
      ['RETIRED', false, 'solar-0042'],
      ['REVOKED', false, 'solar-0042'],
      ['EXPIRED', false, 'solar-0043'],
      ['UNKNOWN', false, null],
      ['UNKNOWN', false, null],
      ['CURRENT', true, 'CDX-000123'],
      ['RETIRED', false, 'CDX-000123'],
    ])
    assert.deepEqual(
      report.findings.map(({ checksumMatches }) => checksumMatches),
      [true, true, true, true, true, true, false, true, true],
    )
    assert.deepEqual(report.findings[0], {
      kind: 'api-key',
      keyId: idOf(current),
      serial: null,
      file: 'all.txt',
      line: 1,
      column: 1,
      checksumMatches: true,
      state: 'CURRENT',
      live: true,
      installation: 'solar-0042',
      revoked: false,
      next: 'cleverctl api-key rotate solar-0042 --grace 0 --output key.txt',
    })
    assert.equal(
      report.findings[7]?.next,
      'cleverctl device rotate-secret CDX-000123 --output secret.txt',
    )
    assert.equal(report.error?.code, 'secrets-leaked')
    assert.deepEqual([report.scanned.files, report.notChecked], [1, []])
  })

  it('exits 0 where nothing found is live, and without a find', async () => {
    write('old.txt', `${keys.retired}\n${FOREIGN}`)
    assert.equal((await scan(ok, ['old.txt'])).findings.length, 2)
    write('old.txt', '')
    assert.deepEqual((await scan(ok, ['.'])).findings, [])
  })

  it('does not call the key of a retired installation live', async () => {
    await plant('solar-0044')
    write('k.txt', (await issue('solar-0044')).text)
    await fresh.database.query(
      `update cleverctl.installation set retired_at = now() where code = 'solar-0044'`,
    )
    assert.equal((await scan(ok, ['.'])).findings[0]?.state, 'RETIRED')
  })

  it('finds the bare secrets of a former secrets file', async () => {
    write('secrets.csv', `serial,secret\nCDX-000124,${BARE_SECRET}\n`)
    const [leak] = (await scan(findings, ['.'])).findings
    assert.deepEqual([leak?.serial, leak?.state, leak?.line], ['CDX-000124', 'CURRENT', 2])
  })

  it('looks into binary files, over the borders of what it reads at once, and not into archives', async () => {
    const noise = Buffer.alloc(600 * 1024, 'v_\n\0')
    for (const border of [256 * 1024, 512 * 1024]) {
      for (const before of [1, 30, 67, 68, 129]) {
        const content = Buffer.from(noise)
        content.write(keys.current, border - before)
        write(`border-${border}-${before}.bin`, content)
      }
    }
    write('key.txt', keys.current)
    execFileSync('gzip', ['key.txt'], { cwd: folder })
    const report = await scan(findings, ['.'])
    assert.equal(report.findings.length, 10, JSON.stringify(places(report)))
    const late = report.findings.find(({ file }) => file === 'border-524288-30.bin')
    assert.deepEqual([late?.line, late?.column], [(524_288 - 32) / 4 + 1, 4])
  })

  it('passes by links, pipes and .git, and takes each path once', async () => {
    mkdirSync(join(folder, 'sub/.git'), { recursive: true })
    write('sub/.git/config', keys.current)
    write('key.txt', keys.current)
    symlinkSync('..', join(folder, 'sub/loop'))
    symlinkSync('../key.txt', join(folder, 'sub/link'))
    symlinkSync('nowhere', join(folder, 'sub/dead'))
    execFileSync('mkfifo', [join(folder, 'pipe')])
    const report = await scan(findings, ['.', '.'])
    assert.deepEqual(places(report), ['key.txt:1:1'])
    assert.equal(report.scanned.files, 1)
    // A link that is named is meant.
    assert.deepEqual(places(await scan(findings, ['sub/link'])), ['sub/link:1:1'])
  })

  it('opens no pipe and no device that is named, and says that it was not checked', async () => {
    execFileSync('mkfifo', [join(folder, 'pipe')])
    const report = await scan(failure, ['pipe', '/dev/zero'])
    assert.deepEqual(
      report.notChecked.map(({ path }) => path),
      ['pipe', '/dev/zero'],
    )
  })

  it('exits 1 when a place could not be read, and 8 when something live was found beside it', async () => {
    mkdirSync(join(folder, 'closed'), { mode: 0o000 })
    write('closed.txt', '')
    chmodSync(join(folder, 'closed.txt'), 0o000)
    const plain = (words: string[]) => asPlainUser(['api-key', 'scan', '--json', ...words])
    const alone = plain(['.', '--offline'])
    assert.equal(alone.code, failure)
    const told = (JSON.parse(alone.stdout) as Report).notChecked
    assert.deepEqual(told.map(({ path, reason }) => [path, reason]).sort(), [
      ['closed', 'cannot list it (EACCES)'],
      ['closed.txt', 'cannot read it (EACCES)'],
    ])
    write('key.txt', keys.current)
    assert.equal(plain(['.', '--offline']).code, findings)
  })

  /** The same program under an account that may not read everything. */
  function asPlainUser(words: readonly string[]): { code: number; stdout: string } {
    const account = process.getuid?.() === 0 ? ['--reuid=65534', '--regid=65534'] : []
    const line = [...account, '--clear-groups', process.execPath, PROGRAM, ...words]
    const [program = '', ...rest] = account.length > 0 ? ['setpriv', ...line] : line.slice(1)
    try {
      const env = { PATH: process.env['PATH'] ?? '', HOME: folder, CLEVERCTL_HOME: folder }
      const stdio = ['ignore', 'pipe', 'ignore'] as const
      const settings = { cwd: folder, env, stdio: [...stdio], encoding: 'utf8' as const }
      return { code: 0, stdout: execFileSync(program, rest, settings) }
    } catch (error) {
      const { status, stdout } = error as { status: number; stdout: string }
      return { code: status, stdout }
    }
  }

  it('exits 5 for a path that leads nowhere, before anything is read, and 2 without a path', async () => {
    write('key.txt', keys.current)
    const report = await scan(notFound, ['key.txt', 'nowhere'])
    assert.equal(report.findings, undefined)
    await scan(usage, [])
  })

  it('reads stdin to its end', async () => {
    const report = await scan(findings, ['-'], { input: `log\n\n  key=${keys.current}\n` })
    assert.deepEqual(places(report), ['-:3:7'])
  })

  it('streams a line of 200 MiB in less than 150 MiB of memory, from a file and from stdin', async () => {
    const line = join(folder, 'line.txt')
    const block = Buffer.alloc(MIB, 'x')
    for (let count = 0; count < 200; count += 1) writeFileSync(line, block, { flag: 'a' })
    writeFileSync(line, ` ${keys.current}`, { flag: 'a' })
    const peak = join(folder, 'peak')
    const hook = join(folder, 'peak.mjs')
    writeFileSync(
      hook,
      `import { writeFileSync } from 'node:fs'
       process.on('exit', () => writeFileSync('${peak}', String(process.resourceUsage().maxRSS)))`,
    )
    for (const source of ['file', 'stdin']) {
      const path = source === 'file' ? 'line.txt' : '-'
      const words = ['--import', hook, PROGRAM, 'api-key', 'scan', path, '--offline', '--json']
      const input = source === 'file' ? '/dev/null' : 'line.txt'
      const child = spawn('sh', ['-c', `exec "$@" <${input}`, 'sh', process.execPath, ...words], {
        cwd: folder,
        env: { PATH: process.env['PATH'] ?? '', HOME: folder, CLEVERCTL_HOME: folder },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      let stdout = ''
      child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
      const [code] = (await once(child, 'close')) as [number]
      assert.equal(code, findings)
      const [leak] = (JSON.parse(stdout) as Report).findings
      assert.deepEqual([leak?.line, leak?.column], [1, 200 * MIB + 2], source)
      const peakMiB = Number(readFileSync(peak, 'utf8')) / 1024
      assert.ok(peakMiB < 150, `${source}: ${peakMiB} MiB`)
    }
  })

  it('shows names with line breaks and escape sequences as harmless text', async () => {
    write('a\n\x1b[31mb\rc', keys.current)
    const result = await runCliTty(['api-key', 'scan', '.'], options())
    assert.equal(result.code, findings)
    assert.match(result.stdout, /a\\n\\x1b\[31mb\\rc:1:1/)
    assert.ok(!result.raw.includes('\x1b[31mb'))
  })

  it('finds a key in the name of a file or folder and repeats it nowhere', async () => {
    mkdirSync(join(folder, keys.current))
    write(`${keys.current}/${keys.grace}.txt`, keys.retired)
    const sarif = join(folder, 'out.sarif')
    const report = await scan(findings, ['.', '--sarif', sarif])
    mustHoldNoSecret(readFileSync(sarif, 'utf8'))
    assert.deepEqual(
      report.findings.map(({ state, line }) => [state, line]),
      [
        ['CURRENT', null],
        ['GRACE', null],
        ['RETIRED', 1],
      ],
    )
    mustHoldNoSecret(JSON.stringify(await scan(notFound, [`${keys.current}.txt`])))
  })

  describe('with --offline', () => {
    const nowhere = { env: { CLEVERCTL_DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' } }

    it('asks no database and counts what has a right checksum as live', async () => {
      write('key.txt', `${FOREIGN}`)
      const { findings: leaks } = await scan(findings, ['.', '--offline'], nowhere)
      assert.deepEqual([leaks[0]?.state, leaks[0]?.live], ['NOT-CHECKED', null])
      write('key.txt', `${FOREIGN.slice(0, -1)}${FOREIGN.endsWith('0') ? '1' : '0'}`)
      assert.equal((await scan(ok, ['.', '--offline'], nowhere)).findings[0]?.live, null)
    })

    it('cannot revoke', async () => {
      await scan(usage, ['.', '--offline', '--revoke', '--yes'])
    })

    it('is the only way without a database', async () => {
      await scan(unreachable, ['.'], nowhere)
    })
  })

  it('tells what it found when the database refuses the look-up', async () => {
    write('key.txt', keys.current)
    const auditor = await roleDatabase(fresh, 'cleverctl_auditor')
    try {
      const report = await scan(failure, ['.'], { env: { CLEVERCTL_DATABASE_URL: auditor.url } })
      assert.deepEqual(places(report), ['key.txt:1:1'])
      assert.equal(report.findings[0]?.state, 'NOT-CHECKED')
    } finally {
      await auditor.close()
    }
  })

  describe('with --revoke', () => {
    const trailOf = async (code: string) => {
      const { rows } = await fresh.database.query<{
        details: { keyIds: string[]; reason: string }
      }>(
        `select details from cleverctl.trail
         where action = 'api-key.revoke' and subject = $1 order by seq`,
        [code],
      )
      return rows.map(({ details }) => details)
    }

    it('revokes live keys, each once in the trail, and still exits 8 because they had leaked', async () => {
      await plant('solar-0050')
      const { text, keyId } = await issue('solar-0050')
      write('a.env', text)
      write('b.env', `${text}\n${text}\n${keys.retired}`)
      const report = await scan(findings, ['.', '--revoke', '--yes'])
      const told = report.findings.map(({ state, revoked, next }) => [state, revoked, next])
      const next = 'cleverctl api-key issue solar-0050 --output key.txt'
      assert.deepEqual(told, [
        ['CURRENT', true, next],
        ['CURRENT', true, next],
        ['CURRENT', true, next],
        ['RETIRED', false, null],
      ])
      assert.deepEqual(await trailOf('solar-0050'), [
        { keyIds: [keyId], reason: 'leaked: found by api-key scan in a.env:1' },
      ])
      const again = await scan(ok, ['.', '--revoke', '--yes'])
      assert.equal(again.findings[0]?.state, 'REVOKED')
      assert.equal((await trailOf('solar-0050')).length, 1)
    })

    it('wants --yes where nobody can be asked, before anything is read', async () => {
      await plant('solar-0051')
      write('key.txt', (await issue('solar-0051')).text)
      await scan(usage, ['.', '--revoke'])
      assert.deepEqual(await trailOf('solar-0051'), [])
    })

    it('exits 3 when a key could not be revoked', async () => {
      await plant('solar-0052')
      write('key.txt', (await issue('solar-0052')).text)
      const gate = await roleDatabase(fresh, 'cleverctl_gate')
      try {
        await fresh.database.query(`grant cleverctl_auditor to ${gate.role}`)
        const env = { CLEVERCTL_DATABASE_URL: gate.url }
        const report = await scan(partial, ['.', '--revoke', '--yes'], { env })
        assert.equal(report.findings[0]?.revoked, false)
        assert.equal(report.error?.code, 'not-revoked')
      } finally {
        await gate.close()
      }
    })
  })

  describe('with --git', () => {
    const git = (...words: string[]) =>
      execFileSync('git', ['-c', 'user.name=n', '-c', 'user.email=n@example.com', ...words], {
        cwd: folder,
        encoding: 'utf8',
        env: { PATH: process.env['PATH'] ?? '', HOME: folder, GIT_CONFIG_NOSYSTEM: '1' },
      }).trim()

    function commit(message: string): string {
      git('add', '--all')
      git('commit', '--quiet', '--allow-empty', '--message', message)
      return git('rev-parse', 'HEAD')
    }

    it('finds keys in deleted files, other branches, stashes, messages and what was forgotten', async () => {
      git('init', '--quiet', '--initial-branch=main')
      write('a b\n.env', `x\ny ${keys.current}`)
      const added = commit('add')
      rmSync(join(folder, 'a b\n.env'))
      write('other.txt', 'nothing')
      commit('delete')
      git('checkout', '--quiet', '-b', 'side')
      write('side.txt', keys.grace)
      const side = commit('side')
      git('checkout', '--quiet', 'main')
      write('other.txt', keys.retired)
      git('stash', '--quiet')
      const stash = git('rev-parse', 'stash')
      const message = commit(`see ${keys.revoked}`)
      write('blob', keys.expired)
      const forgotten = git('hash-object', '-w', 'blob')
      rmSync(join(folder, 'blob'))
      assert.deepEqual((await scan(ok, ['.'])).findings, [])
      const report = await scan(findings, ['.', '--git'])
      const told = report.findings.map(({ state, file, line, commit: by }) => [
        state,
        file,
        line,
        by,
      ])
      const wanted = [
        ['CURRENT', 'a b\n.env', 2, added],
        ['GRACE', 'side.txt', 1, side],
        ['RETIRED', 'other.txt', 1, stash],
        ['REVOKED', null, message === '' ? 0 : report.findings[1]?.line, message],
        ['EXPIRED', null, 1, null],
      ]
      const order = (rows: unknown[]) => rows.map((row) => JSON.stringify(row)).sort()
      assert.deepEqual(order(told), order(wanted))
      assert.ok(report.findings.some(({ object }) => object === forgotten))
      assert.ok(report.scanned.objects >= 9)
    })

    it('finds the history from a folder inside, and of repositories inside a folder', async () => {
      mkdirSync(join(folder, 'inner'))
      git('-C', 'inner', 'init', '--quiet')
      write('inner/k.txt', keys.current)
      git('-C', 'inner', 'add', '.')
      git('-C', 'inner', 'commit', '--quiet', '-m', 'key')
      mkdirSync(join(folder, 'inner/deep'))
      rmSync(join(folder, 'inner/k.txt'))
      const ways = { '.': 'inner', 'inner/deep': 'inner/deep', inner: 'inner' }
      for (const [path, repository] of Object.entries(ways)) {
        const report = await scan(findings, [path, '--git'])
        assert.deepEqual(places(report), ['k.txt:1:1'])
        assert.equal(report.findings[0]?.repository, repository)
      }
      // Two ways to one history.
      assert.equal((await scan(findings, ['inner', 'inner/deep', '--git'])).findings.length, 1)
    })

    it('is not led astray by the environment of a hook, nor by configured programs', async () => {
      git('init', '--quiet')
      write('k.txt', keys.current)
      commit('key')
      git('config', 'core.fsmonitor', 'touch ran')
      git('config', 'diff.external', 'touch ran')
      git('config', 'core.pager', 'touch ran')
      const env = { GIT_DIR: '/nonexistent', GIT_INDEX_FILE: '/nonexistent/index' }
      const report = await scan(findings, ['.', '--git'], { env })
      assert.equal(report.findings.length, 2)
      assert.equal(report.scanned.files, 1)
    })

    it('does not take part of a history for all of it', async () => {
      git('init', '--quiet', 'full')
      write('full/k.txt', 'one')
      git('-C', 'full', 'add', '.')
      git('-C', 'full', 'commit', '--quiet', '-m', 'one')
      git('-C', 'full', 'commit', '--quiet', '--allow-empty', '-m', 'two')
      git('clone', '--quiet', '--depth=1', `file://${folder}/full`, 'shallow')
      assert.match(
        (await scan(failure, ['shallow', '--git'])).notChecked[0]?.reason ?? '',
        /shallow/,
      )
      await scan(ok, ['full', '--git'])
      mkdirSync(join(folder, 'none'))
      assert.match(
        (await scan(failure, ['none', '--git'])).notChecked[0]?.reason ?? '',
        /no git history/,
      )
    })

    it('exits 1 when an object cannot be read', async () => {
      git('init', '--quiet')
      write('k.txt', 'harmless')
      commit('one')
      const id = git('rev-parse', 'HEAD:k.txt')
      const file = join(folder, '.git/objects', id.slice(0, 2), id.slice(2))
      chmodSync(file, 0o600)
      writeFileSync(file, 'broken')
      const { notChecked } = await scan(failure, ['.', '--git'])
      assert.match(notChecked[0]?.reason ?? '', new RegExp(`^git: .*${id}`))
    })

    it('exits 1 without git', async () => {
      git('init', '--quiet')
      const env = { PATH: '/nonexistent' }
      assert.match(
        (await scan(failure, ['.', '--git'], { env })).notChecked[0]?.reason ?? '',
        /cannot run git/,
      )
    })
  })

  describe('with --sarif', () => {
    it('writes a report without secrets for what was found and what was not checked', async () => {
      write('a.env', `\n  k=${keys.current}`)
      write('b.env', keys.expired)
      write('c.env', FOREIGN)
      execFileSync('mkfifo', [join(folder, 'pipe')])
      write('out.sarif', 'a former report')
      await scan(findings, ['a.env', 'b.env', 'c.env', 'pipe', '--sarif', 'out.sarif'])
      const text = readFileSync(join(folder, 'out.sarif'), 'utf8')
      mustHoldNoSecret(text)
      const [run] = (JSON.parse(text) as Log).runs
      assert.deepEqual(
        run?.results?.map(({ ruleId, level, message, locations }) => {
          const { artifactLocation, region } = locations?.[0]?.physicalLocation ?? {}
          return [ruleId, level, message.text, artifactLocation?.uri, region]
        }),
        [
          [
            'api-key-live',
            'error',
            `API key ${idOf(keys.current)}: CURRENT at installation solar-0042`,
            'a.env',
            { startLine: 2, startColumn: 5 },
          ],
          [
            'api-key-ended',
            'note',
            `API key ${idOf(keys.expired)}: EXPIRED at installation solar-0043`,
            'b.env',
            { startLine: 1, startColumn: 1 },
          ],
          [
            'api-key-unknown',
            'warning',
            `API key ${idOf(FOREIGN)}: UNKNOWN`,
            'c.env',
            { startLine: 1, startColumn: 1 },
          ],
        ],
      )
      assert.equal(run?.invocations?.[0]?.executionSuccessful, false)
    })

    it('finds out before it scans that the report has no place', async () => {
      write('key.txt', keys.current)
      const report = await scan(usage, ['.', '--sarif', 'nowhere/out.sarif'])
      assert.equal(report.findings, undefined)
    })
  })

  it('prints rules for gitleaks that find what it finds', async () => {
    const result = await runCli(['api-key', 'scan', '--print-gitleaks-rules'])
    assert.equal(result.code, ok)
    const regexes = [...result.stdout.matchAll(/^regex = '''(.*)'''$/gm)].map(
      ([, regex = '']) => new RegExp(regex),
    )
    assert.deepEqual(
      [keys.current, DEVICE_SECRET].map((secret) => regexes.map((regex) => regex.test(secret))),
      [
        [true, false],
        [false, true],
      ],
    )
  })

  it('stops when it is told to', async () => {
    const result = await runCli(['api-key', 'scan', '-', '--offline'], {
      input: { open: true },
      // More than a pipe holds: once it is written, the scan is under way.
      onStart: (child) => child.stdin?.write('x'.repeat(4 * MIB), () => child.kill('SIGTERM')),
    })
    assert.equal(result.code, ExitCode.terminated)
  })
})
