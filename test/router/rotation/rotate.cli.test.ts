import assert from 'node:assert/strict'
import { ExitCode } from '../../../src/lib/errors.js'
import type { RotatedRouter } from '../../../src/lib/router/rotation/rotate.js'
import type { Reconciled } from '../../../src/lib/router/rotation/reconcile.js'
import type { RouterCampaign, Targets } from '../../../src/lib/router/rotation/rotate-many.js'
import { runCliTty } from '../../support/cli.js'
import { until } from '../../support/until.js'
import { ProcessList } from '../../support/process-list.js'
import {
  canRunRouters,
  startTestRouter,
  type TestRouter,
} from '../../support/router/test-router.js'
import type { WifiSection } from '../../support/router/flash.js'
import { SecretSearch } from '../../support/secret-search.js'
import { makeKey } from '../../support/ssh.js'
import { FIRST, hasPassword, Plant } from './plant.js'

const { ok, failure, usage, partial, refused, notFound, conflict, unreachable } = ExitCode

/** A Wi-Fi section that is on unless told otherwise. */
const accessPoint = (name: string | undefined, options: Record<string, string>): WifiSection => ({
  ...(name === undefined ? {} : { name }),
  options: { device: 'radio0', network: 'lan', mode: 'ap', encryption: 'psk2', ...options },
})

describe('cleverctl router rotate', () => {
  let plant: Plant
  let number = 0
  const routers: TestRouter[] = []
  const next = () => `solar-${(number += 1)}`
  const start: typeof startTestRouter = async (given) => {
    const router = await startTestRouter(given)
    routers.push(router)
    return router
  }
  /** A router that is recorded. */
  const recorded = async (given: Parameters<typeof startTestRouter>[0] = {}) => {
    const [installation, router] = [next(), await start(given)]
    await plant.add(installation, router, given?.driver)
    return { installation, router }
  }
  const rotate = (installation: string, ...more: string[]) =>
    plant.json<RotatedRouter & Targets>(['router', 'rotate', installation, ...more])
  const fails = async (installation: string, code: number, ...more: string[]) =>
    (await plant.json(['router', 'rotate', installation, ...more], code)).error

  before(async function () {
    if (!canRunRouters()) return this.skip()
    plant = await Plant.make()
  })
  afterEach(async () => {
    await Promise.all(routers.splice(0).map((router) => router.stop()))
  })
  after(async () => plant?.remove())

  for (const driver of ['openwrt', 'rutos'] as const)
    it(`gives a router of ${driver} a new password, name and passphrase`, async () => {
      const { installation, router } = await recorded({
        driver,
        radios: 2,
        sections: [
          accessPoint(undefined, { device: 'radio1', ssid: FIRST.ssid, key: FIRST.passphrase }),
        ],
      })
      const done = await rotate(installation, '--what', 'admin,wifi,name')
      assert.equal(done.outcome, 'rotated')
      assert.equal(done.passwordProven, true)
      assert.deepEqual([done.succeeded, done.failed, done.unknown], [[installation], [], []])
      const state = await plant.json<Reconciled>(['router', 'reconcile', installation])
      assert.deepEqual([state.installation, state.state], [installation, 'new'])
      await plant.assertInForce(installation, router)
      assert.equal(await hasPassword(router, FIRST.password), false)
      const [{ ssid } = { ssid: '' }] = router.onAir()
      assert.match(ssid, /^CLV-[A-Za-z2-9]{6}$/)
      assert.equal(router.onAir().length, 2)
      if (driver === 'rutos')
        assert.ok(await hasPassword(router, await plant.secret(installation, 'admin'), 'admin'))
      assert.deepEqual(
        (await plant.versions(installation)).map(({ kind, version, state }) => [
          kind,
          version,
          state,
        ]),
        [
          ['admin', 2, 'CURRENT'],
          ['admin', 1, 'RETIRED'],
          ['wifi', 2, 'CURRENT'],
          ['wifi', 1, 'RETIRED'],
        ],
      )
      assert.deepEqual(await plant.story(installation), ['intent replace', 'outcome replace NEW'])
      await rotate(installation)
      await plant.assertInForce(installation, router)
    })

  it('by default the password alone, so that no logger is cut off', async () => {
    const { installation, router } = await recorded()
    const { credentials, dark, stations } = await rotate(installation)
    assert.deepEqual(credentials, [{ kind: 'admin', version: 2, name: 'root' }])
    assert.deepEqual([dark.count, stations], [0, null])
    assert.equal(await plant.secret(installation, 'wifi'), FIRST.passphrase)
    await plant.assertInForce(installation, router)
  })

  it('with an identity, where the router takes no passwords, says that the new one is not proven', async () => {
    const [installation, key] = [next(), makeKey(plant.home, 'fleet')]
    const { readFileSync } = await import('node:fs')
    const router = await start({ authorizedKeys: [readFileSync(`${key}.pub`, 'utf8').trim()] })
    await router.shell(
      'uci set dropbear.@dropbear[0].PasswordAuth=off; uci set dropbear.@dropbear[0].RootPasswordAuth=off; uci commit dropbear; /etc/init.d/dropbear reload',
    )
    await plant.json([
      ...['router', 'add', installation, '--driver', 'openwrt', '--address', router.address],
      ...['--port', String(router.port), '--host-key', router.hostKey.fingerprint],
      ...['--identity', key],
    ])
    const done = await rotate(installation, '--what', 'admin,wifi')
    assert.equal(done.passwordProven, false)
    await plant.assertInForce(installation, router)
  })

  it('leaves other access points, stations and meshes alone', async () => {
    const { installation, router } = await recorded({
      sections: [
        accessPoint('guest', { ssid: 'Guests', key: 'guest-passphrase' }),
        accessPoint('uplink', { mode: 'sta', ssid: 'Farm', key: 'farm-passphrase' }),
        accessPoint(undefined, { mode: 'mesh', mesh_id: FIRST.ssid, key: 'mesh-passphrase' }),
      ],
    })
    await rotate(installation, '--what', 'wifi')
    const wireless = router.readFlash('/etc/config/wireless') ?? ''
    assert.match(wireless, /option key 'guest-passphrase'/)
    assert.match(wireless, /option key 'farm-passphrase'/)
    assert.match(wireless, /option key 'mesh-passphrase'/)
    assert.doesNotMatch(wireless, /old-passphrase-1/)
  })

  it('takes a section that does not say what it is for an access point, as the router does', async () => {
    const { mode: _mode, ...options } = accessPoint(undefined, {
      ssid: FIRST.ssid,
      key: FIRST.passphrase,
    }).options
    const { installation, router } = await recorded({ sections: [{ options }] })
    await rotate(installation, '--what', 'wifi')
    assert.doesNotMatch(router.readFlash('/etc/config/wireless') ?? '', /old-passphrase-1/)
  })

  it('another host key in the middle leaves it unknown, and is told as another host key', async () => {
    const { installation, router } = await recorded()
    let changing: Promise<void> | undefined
    const words = ['router', 'rotate', installation, '--what', 'wifi,admin', '--json', '--verbose']
    const result = await plant.run(words, {
      onStart: (tool) =>
        tool.stderr?.on('data', (chunk: Buffer) => {
          if (String(chunk).includes('written down')) changing ??= router.changeHostKey()
        }),
    })
    await changing
    const { error, unknown } = result.json() as { error: { code: string }; unknown: object[] }
    assert.deepEqual([result.code, error.code], [conflict, 'rotation-unknown'], result.stderr)
    assert.equal(unknown.length, 1)
    await plant.json([
      'router',
      'rekey',
      installation,
      '--host-key',
      router.hostKey.fingerprint,
      '--offline',
    ])
    await plant.json(['router', 'reconcile', installation])
    await plant.assertInForce(installation, router)
  })

  it('younger secrets stay with --older-than, and nothing is called rotated', async () => {
    const { installation, router } = await recorded()
    const before = router.readFlash('/etc/shadow')
    const { counts } = await plant.json<RouterCampaign>([
      ...['router', 'rotate', installation, '--older-than', '90d'],
    ])
    assert.deepEqual([counts.unchanged, counts.done], [1, 0])
    const all = await plant.json<RouterCampaign>(['router', 'rotate', '--older-than', '90d'])
    assert.equal(all.targets, 0)
    assert.equal(router.readFlash('/etc/shadow'), before)
    assert.deepEqual(await plant.story(installation), [])
  })

  it('a changed host key, a refused login and a router out of reach are three things', async () => {
    const { installation, router } = await recorded()
    const before = router.readFlash('/etc/shadow')
    await router.changeHostKey()
    assert.equal((await fails(installation, conflict)).code, 'host-key-changed')
    const rekey = ['router', 'rekey', installation, '--host-key', router.hostKey.fingerprint]
    await plant.json(rekey)
    await router.shell("printf '%s\\n%s\\n' Other-password-1 Other-password-1 | passwd root")
    assert.equal((await fails(installation, refused)).code, 'ssh-login-refused')
    router.writeFlash('/etc/shadow', before ?? '', 0o600)
    await rotate(installation)
    await plant.assertInForce(installation, router)
    await router.cutPower()
    assert.equal((await fails(installation, unreachable)).code, 'ssh-unreachable')
    assert.deepEqual(await plant.story(installation), ['intent replace', 'outcome replace NEW'])
    assert.equal((await fails('solar-40', notFound)).code, 'router-not-found')
  })

  it('what somebody changed by hand is not overwritten unasked', async () => {
    const { installation, router } = await recorded()
    const byHand = (option: string) =>
      router.shell(`uci set wireless.default_radio0.${option}; uci commit wireless; wifi reload`)
    await byHand('key=by-hand-passphrase')
    assert.equal(
      (await fails(installation, conflict, '--what', 'wifi')).code,
      'router-changed-by-hand',
    )
    await byHand('ssid=ByHand')
    assert.equal((await fails(installation, conflict, '--what', 'wifi')).code, 'wifi-not-found')
    assert.deepEqual(await plant.story(installation), [])
    await rotate(installation, '--what', 'wifi', '--overwrite')
    await plant.assertInForce(installation, router)
  })

  it('unsaved edits, a full flash, and another change stop it, and nothing is changed', async () => {
    const { installation, router } = await recorded()
    await router.shell('uci set wireless.radio0.channel=11')
    assert.equal((await fails(installation, conflict)).code, 'router-edited')
    await router.shell('uci revert wireless')
    await router.fillFlash(16)
    const { error, ...told } = await plant.json(['router', 'rotate', installation], failure)
    const { code, message } = error
    assert.equal(code, 'rolled-back')
    assert.deepEqual(told, {
      ...{ installation, succeeded: [], unknown: [] },
      failed: [{ installation, code, message }],
    })
    const old = await plant.json<Reconciled>(['router', 'reconcile', installation])
    assert.equal(old.state, 'old')
    router.freeFlash()
    await router.shell(
      'mkdir -p /etc/cleverctl/open; cd /etc/cleverctl/open; touch armed; echo other >id',
    )
    assert.equal((await fails(installation, conflict)).code, 'router-busy')
    await router.shell('rm -r /etc/cleverctl')
    await plant.assertInForce(installation, router)
    assert.deepEqual(await plant.story(installation), ['intent replace', 'outcome replace OLD'])
    await rotate(installation)
    await plant.assertInForce(installation, router)
  })

  it('a Wi-Fi that does not come on air keeps its old passphrase', async () => {
    const { installation, router } = await recorded()
    // An access point without a country code is one of many that a driver refuses; here its radio goes.
    await router.shell(
      'mv /sbin/wifi /sbin/wifi.real; printf "#!/bin/sh\\nrm -f /tmp/run/air/*\\n" >/sbin/wifi; chmod 755 /sbin/wifi',
    )
    const { code, message } = await fails(
      installation,
      failure,
      ...['--what', 'wifi', '--rollback-after', '5s'],
    )
    assert.equal(code, 'rolled-back')
    assert.match(message, /did not come on air/)
    await router.shell('mv /sbin/wifi.real /sbin/wifi; wifi reload; sleep 1')
    await plant.assertInForce(installation, router)
  })

  it('a router that refuses three times is asked again by name only', async () => {
    const { installation, router } = await recorded()
    await rotate(installation, '--what', 'wifi', '--overlap')
    await plant.fresh.database.query(
      `update cleverctl.router_credential set grace_until = now() - interval '1 s' where state = 'GRACE'`,
    )
    const shadow = router.readFlash('/etc/shadow') ?? ''
    await router.shell("printf '%s\\n%s\\n' Other-password-1 Other-password-1 | passwd root")
    const unasked = async () => {
      const { routers } = await plant.json<Reconciled>(['router', 'reconcile'], partial)
      return routers.map(({ error }) => error?.code)
    }
    const attempts = () => router.log().match(/Bad password attempt/g)?.length
    for (let run = 1; run <= 3; run++) {
      assert.deepEqual(await unasked(), ['ssh-login-refused'])
      assert.equal(attempts(), run)
    }
    assert.deepEqual(await unasked(), ['refused-before'])
    assert.equal(attempts(), 3)
    router.writeFlash('/etc/shadow', shadow, 0o600)
    const named = await plant.json<Reconciled>(['router', 'reconcile', installation])
    assert.deepEqual([named.state, named.overlapEnded], ['new', true])
    assert.deepEqual(await plant.json(['router', 'reconcile']), { routers: [] })
    await plant.assertInForce(installation, router)
  })

  it('with --overlap a new name is a second Wi-Fi until the former is taken off', async () => {
    const { installation, router } = await recorded({
      radios: 2,
      sections: [
        accessPoint('default_radio1', {
          ...{ device: 'radio1', encryption: 'sae-mixed', isolate: '1' },
          ...{ ssid: FIRST.ssid, key: FIRST.passphrase },
        }),
      ],
    })
    const names = () =>
      router
        .onAir()
        .map(({ section, ssid }) => `${section} ${ssid}`)
        .sort()
    await rotate(installation, '--what', 'wifi,name', '--overlap')
    const name = (await plant.versions(installation)).find(
      ({ kind, state }) => kind === 'wifi' && state === 'CURRENT',
    )?.name
    assert.deepEqual(names(), [
      `cleverctl_next ${name}`,
      `cleverctl_next2 ${name}`,
      `default_radio0 ${FIRST.ssid}`,
      `default_radio1 ${FIRST.ssid}`,
    ])
    assert.match(
      (await router.shell('uci show wireless.cleverctl_next2')).stdout,
      /encryption='sae-mixed'[^]*isolate='1'/,
    )
    const check = await plant.run(['router', 'check', installation, '--json'])
    const { findings } = check.json() as { findings: { rule: string }[] }
    assert.ok(!findings.some(({ rule }) => /ssid|key-changed|extra/.test(rule)), check.stdout)
    const ended = await plant.json<Reconciled>([
      ...['router', 'reconcile', installation, '--end-overlap'],
    ])
    assert.deepEqual([ended.state, ended.overlapEnded], ['new', true])
    await until(() => names().length === 2)
    assert.deepEqual(names(), [`default_radio0 ${name}`, `default_radio1 ${name}`])
    assert.doesNotMatch(router.readFlash('/etc/config/wireless') ?? '', /cleverctl/)
    await plant.assertInForce(installation, router)
  })

  it('with --overlap both passphrases work until the former is taken off', async () => {
    const { installation, router } = await recorded()
    router.setStations([
      { mac: '02:00:00:00:00:01', ssid: FIRST.ssid, passphrase: FIRST.passphrase },
    ])
    await router.shell('sleep 1')
    const done = await rotate(installation, '--what', 'wifi', '--overlap')
    assert.ok(done.overlapUntil)
    assert.deepEqual(done.dark, { count: 0, serials: [] })
    assert.equal(done.stations?.after, 1)
    const passphrase = await plant.secret(installation, 'wifi')
    const wireless = () => router.readFlash('/etc/config/wireless') ?? ''
    assert.match(wireless(), new RegExp(`key '${FIRST.passphrase}'`))
    assert.match(wireless(), new RegExp(`key '${passphrase}'`))
    assert.deepEqual(
      (await plant.versions(installation))
        .filter(({ kind }) => kind === 'wifi')
        .map(({ version, state }) => [version, state]),
      [
        [2, 'CURRENT'],
        [1, 'GRACE'],
      ],
    )
    assert.equal((await fails(installation, conflict, '--what', 'wifi')).code, 'overlap-open')
    assert.deepEqual(await plant.json(['router', 'reconcile']), { routers: [] })
    await plant.fresh.database.query(
      `update cleverctl.router_credential set grace_until = now() - interval '1 s' where state = 'GRACE'`,
    )
    const reconciled = await plant.json<{ routers: unknown[] }>(['router', 'reconcile'])
    assert.deepEqual(reconciled.routers, [
      { installation, state: 'new', overlapEnded: true, error: null },
    ])
    assert.doesNotMatch(wireless(), new RegExp(`key '${FIRST.passphrase}'`))
    await plant.assertInForce(installation, router)
    assert.deepEqual(await plant.story(installation), [
      ...['intent add', 'outcome add NEW', 'intent retire', 'outcome retire NEW'],
    ])
  })

  it('several make a campaign: what fails is named, and the rest is done', async () => {
    const [one, two] = [await recorded(), await recorded()]
    await two.router.cutPower()
    const names = [one.installation, two.installation]
    await plant.fresh.database.query(
      `with device as (
         insert into cleverctl.device (serial, model, batch, manufactured_at, secret_sha256)
         values ('CDX-DARK', 'CleverDx', 'B-1', '2026-01-02', sha256('')) returning id),
       installer as (
         insert into cleverctl.installer (email, name, password_hash) values ('i@example.com', 'I', 'x') returning id)
       insert into cleverctl.placement (device_id, installation_id, installer_id, during)
       select device.id, installation.id, installer.id, tstzrange(now(), null)
       from device, installer, cleverctl.installation where installation.code = $1`,
      [two.installation],
    )
    const plan = await plant.json<RouterCampaign>([
      ...['router', 'rotate', ...names, '--dry-run', '--what', 'wifi'],
    ])
    assert.deepEqual([plan.state, plan.targets], ['planned', 2])
    assert.deepEqual(plan.dark, { loggers: 1, installations: 1, serials: ['CDX-DARK'] })
    const document = await plant.json<RouterCampaign>(
      [
        ...['router', 'rotate', ...names, '--max-failures', '100%', '--window', 'now'],
        // The connections that hold locks meanwhile must leave one for the work.
        ...['--concurrency', '1'],
      ],
      partial,
    )
    assert.deepEqual(document.succeeded, [one.installation])
    assert.deepEqual(
      document.failed.map(({ installation, code }) => [installation, code]),
      [[two.installation, 'ssh-unreachable']],
    )
    assert.deepEqual(document.unknown, [])
    await plant.assertInForce(one.installation, one.router)
    assert.deepEqual(await plant.story(two.installation), [])
  })

  it('refuses what makes no sense, before anything happens', async () => {
    for (const words of [
      ['--what', 'wifi,firmware'],
      ['--what', 'admin', '--overlap'],
      ['--what', 'wifi', '--overlap-for', '7d'],
      ['--rollback-after', '1s'],
      ['--rollback-after', '2h'],
    ])
      assert.equal((await plant.run(['router', 'rotate', 'solar-1', ...words])).code, usage)
    assert.equal((await plant.run(['router', 'rotate'])).code, usage)
  })

  it('shows in a terminal what is in force, and asks before loggers are cut off', async () => {
    const { installation } = await recorded()
    const shown = await runCliTty(['router', 'rotate', installation], plant.options({}))
    assert.equal(shown.code, ok, shown.stdout)
    assert.match(shown.stdout, /outcome +rotated/)
    assert.match(shown.stdout, /admin +version 2, root/)
  })

  it('no secret is in a process list, a log, a debug log or the trail', async () => {
    const { installation, router } = await recorded()
    const seen: string[] = []
    const list = new ProcessList()
    list.start()
    const timer = setInterval(() => seen.push(...router.processes()), 5)
    try {
      const result = await plant.run(
        ['router', 'rotate', installation, '--what', 'wifi,admin,name', '--verbose'],
        {},
      )
      assert.equal(result.code, ok, result.stderr)
      seen.push(result.stdout, result.stderr)
    } finally {
      clearInterval(timer)
      list.stop()
    }
    const search = new SecretSearch()
    search.add('old password', FIRST.password)
    search.add('old passphrase', FIRST.passphrase)
    search.add('new password', await plant.secret(installation, 'admin'))
    search.add('new passphrase', await plant.secret(installation, 'wifi'))
    const { rows } = await plant.fresh.database.query<{ text: string }>(
      `select string_agg(step::text, '') as text from cleverctl.trail as step`,
    )
    assert.ok(seen.some((line) => line.includes('change.sh') || line.includes('cleverctl-')))
    const everything = [...seen, list.text(), router.log(), rows[0]?.text ?? ''].join('\n')
    assert.deepEqual(search.find(everything), [])
  })
})
