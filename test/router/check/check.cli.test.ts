import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Log } from 'sarif'
import { ExitCode } from '../../../src/lib/errors.js'
import type { RouterCheck } from '../../../src/lib/router/check/types.js'
import { runCli } from '../../support/cli.js'
import { freshDatabase, type FreshDatabase } from '../../support/database.js'
import { SecretSearch } from '../../support/secret-search.js'
import { makeKey } from '../../support/ssh.js'
import {
  canRunRouters,
  startTestRouter,
  type TestRouter,
} from '../../support/router/test-router.js'

const { ok, usage, refused, notFound, conflict, unreachable, findings } = ExitCode

describe('cleverctl router check', function () {
  let fresh: FreshDatabase
  let home: string
  let number = 0
  const routers: TestRouter[] = []

  before(async function () {
    if (!canRunRouters()) return this.skip()
    fresh = await freshDatabase()
    home = mkdtempSync(join(tmpdir(), 'cctl-check-'))
    await fresh.database.query(
      `insert into cleverctl.installation (code, name, timezone, latitude, longitude)
       select 'solar-' || n, 'Almeria', 'Europe/Madrid', 36.84, -2.46 from generate_series(1, 40) as n`,
    )
    await run(['init', '--yes'])
  })
  afterEach(async () => {
    await Promise.all(routers.splice(0).map((router) => router.stop()))
  })
  after(async () => {
    await fresh?.drop()
    if (home !== undefined) rmSync(home, { recursive: true, force: true })
  })

  const run = (words: readonly string[]) =>
    runCli(words, { home, cwd: home, env: { CLEVERCTL_DATABASE_URL: fresh.url } })
  const file = (name: string, text: string): string => {
    writeFileSync(join(home, name), `${text}\n`, { mode: 0o600 })
    return join(home, name)
  }
  /** A router that is recorded as it is. @returns it, and the code of its installation */
  const recorded = async (
    given: Parameters<typeof startTestRouter>[0] = {},
    words: string[] = [],
  ) => {
    const installation = `solar-${(number += 1)}`
    const passphrase = `passphrase-of-${installation}-9`
    const password = `Password-of-${installation}-9`
    const box = { ssid: `CLV-${number}`, passphrase, password, ...given }
    const router = await startTestRouter(box)
    routers.push(router)
    const added = await run([
      ...['router', 'add', installation, '--driver', given.driver ?? 'openwrt'],
      ...['--address', router.address, '--port', String(router.port)],
      ...['--host-key', router.hostKey.fingerprint, '--ssid', box.ssid],
      ...['--password-file', file('password', box.password)],
      ...['--wifi-password-file', file('wifi', box.passphrase), ...words],
    ])
    assert.equal(added.code, ok, added.stderr)
    return { router, installation }
  }
  /** What a check that must end with `code` came to. */
  const check = async (words: readonly string[], code: number): Promise<RouterCheck> => {
    const result = await run(['router', 'check', ...words, '--json'])
    assert.equal(result.code, code, result.stdout + result.stderr)
    const document = result.json() as RouterCheck & { error?: { result: RouterCheck } }
    return document.error?.result ?? document
  }
  const rulesOf = ({ findings: found }: RouterCheck, installation?: string) =>
    found
      .filter((each) => installation === undefined || each.installation === installation)
      .map(({ rule }) => rule)

  it('says of a router as it is recorded that it is, and takes that down once', async () => {
    const { router, installation } = await recorded()
    const before = router.readFlash('etc/config/wireless')
    const result = await check([installation], ok)
    assert.deepEqual(rulesOf(result), ['pmf-off', 'ssh-password-login'])
    assert.deepEqual([result.checked, result.notChecked], [1, []])
    assert.equal(router.readFlash('etc/config/wireless'), before)
    const { rows } = await fresh.database.query<{ action: string }>(
      'select action from cleverctl.trail where subject = $1 order by seq',
      [installation],
    )
    assert.deepEqual(
      rows.map(({ action }) => action),
      ['router.add', 'router.check'],
    )
    assert.deepEqual(rulesOf(await check([installation, '--fail-on', 'note'], findings)).length, 2)
  })

  it('finds what was changed by hand, without a secret in anything it says', async () => {
    const { router, installation } = await recorded({ driver: 'rutos' })
    const changed = 'changed-by-hand-123'
    await router.shell(
      `uci set wireless.default_radio0.ssid=Mine; uci set wireless.default_radio0.key=${changed}
       uci commit wireless; wifi reload; uci set system.@system[0].hostname=staged`,
    )
    const sarif = join(home, 'check.sarif')
    const result = await run(['router', 'check', installation, '--sarif', sarif, '--verbose'])
    assert.equal(result.code, findings)
    for (const rule of ['ssid-changed', 'wifi-key-changed', 'staged-edits'])
      assert.match(result.stdout, new RegExp(`\\t${rule}\\t${installation}\\t`))
    const document = JSON.parse(readFileSync(sarif, 'utf8')) as Log
    assert.ok(document.runs[0]?.results?.some(({ ruleId }) => ruleId === 'wifi-key-changed'))
    const search = new SecretSearch()
    search.add('changed', changed)
    search.add('recorded', `passphrase-of-${installation}-9`, `Password-of-${installation}-9`)
    const { rows } = await fresh.database.query<{ text: string }>(
      `select string_agg(step::text, '') as text from cleverctl.trail as step`,
    )
    const said = [
      result.stdout,
      result.stderr,
      JSON.stringify(document),
      rows[0]?.text,
      router.log(),
    ]
    assert.deepEqual(search.find(said.join('\n')), [])
  })

  it('tells a changed host key, a refused credential and a router out of reach apart', async () => {
    const [sound, rekeyed, locked, gone] = [
      await recorded(),
      await recorded(),
      await recorded(),
      await recorded(),
    ]
    await rekeyed.router.changeHostKey()
    await locked.router.shell(`printf '%s\\n%s\\n' other-Pass-1 other-Pass-1 | passwd root`)
    await gone.router.cutPower()
    const changed = await check([rekeyed.installation], conflict)
    assert.deepEqual(rulesOf(changed), ['host-key-changed'])
    const shut = await check([locked.installation], refused)
    assert.deepEqual([rulesOf(shut), shut.checked], [['password-refused'], 0])
    const lost = await check([gone.installation], unreachable)
    assert.deepEqual(
      lost.notChecked.map(({ installation, code }) => [installation, code]),
      [[gone.installation, 'ssh-unreachable']],
    )
    // Of several the gravest decides, and all are told.
    const codes = [sound, rekeyed, locked, gone].map(({ installation }) => installation)
    const all = await check(codes, conflict)
    assert.equal(all.checked, 1)
    assert.deepEqual(rulesOf(all, locked.installation), ['password-refused'])
    assert.equal(all.notChecked.length, 1)
    // Where nothing else was found, one that was not checked is not green.
    await check([sound.installation, gone.installation], unreachable)
  })

  it('finds secrets that two routers share, also those that are recorded otherwise', async () => {
    const shared = 'the-same-passphrase-1'
    const first = await recorded({ passphrase: shared })
    const second = await recorded({ passphrase: shared })
    const third = await recorded()
    const fourth = await recorded()
    for (const { router } of [third, fourth])
      await router.shell(
        'uci set wireless.default_radio0.key=another-shared-1; uci commit wireless; wifi reload',
      )
    const codes = [first, second, third, fourth].map(({ installation }) => installation)
    const result = await check(codes, findings)
    for (const { installation } of [first, second])
      assert.deepEqual(
        rulesOf(result, installation).filter((rule) => /shared|key/.test(rule)),
        ['shared-secret'],
      )
    for (const { installation } of [third, fourth])
      assert.deepEqual(
        rulesOf(result, installation).filter((rule) => /shared|key/.test(rule)),
        ['wifi-key-changed', 'shared-secret'],
      )
  })

  it('knows the recorded key from one that somebody put there', async () => {
    const path = makeKey(home, 'ours')
    const ours = readFileSync(`${path}.pub`, 'utf8').trim()
    const theirs = readFileSync(`${makeKey(home, 'theirs')}.pub`, 'utf8').trim()
    const { router, installation } = await recorded({ authorizedKeys: [ours] }, [
      '--identity',
      path,
    ])
    await router.shell(
      'uci set dropbear.@dropbear[0].PasswordAuth=off; uci commit dropbear; /etc/init.d/dropbear reload',
    )
    assert.deepEqual(rulesOf(await check([installation], ok)), ['pmf-off'])
    router.writeFlash('etc/dropbear/authorized_keys', `${ours}\n${theirs}\n`, 0o600)
    assert.deepEqual(rulesOf(await check([installation], findings)), [
      'unknown-authorized-key',
      'pmf-off',
    ])
  })

  it('says which routers are meant, and of which none is recorded', async () => {
    await check([], usage)
    await check(['solar-1', '--all'], usage)
    await check(['solar-40'], notFound)
    await check(['--all', '--firmware', 'openwrt'], usage)
  })
})
