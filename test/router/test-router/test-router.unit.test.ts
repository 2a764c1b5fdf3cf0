import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ExpectedError } from '../../../src/lib/errors.js'
import { Secret } from '../../../src/lib/secret.js'
import { parseIdentity } from '../../../src/lib/ssh/identity.js'
import { openSession } from '../../../src/lib/ssh/session.js'
import type { SshLogin } from '../../../src/lib/ssh/types.js'
import { makeKey } from '../../support/ssh.js'
import { withRouters } from '../../support/router/suite.js'
import type { TestRouter } from '../../support/router/test-router.js'

const signal = new AbortController().signal
const passwordLogin = (password: string): SshLogin => ({
  kind: 'password',
  password: new Secret(password),
})

async function open(router: TestRouter, login = passwordLogin(router.password)) {
  const { address, port, username, hostKey } = router
  return openSession({ address, port, username, hostKey, logins: [login] }, [], {
    signal,
    connectTimeoutMs: 2000,
    keepaliveMs: 300,
  })
}

async function runOver(router: TestRouter, script: string, login?: SshLogin): Promise<string> {
  const session = await open(router, login)
  try {
    const { stdout, stderr, code } = await session.run(script)
    assert.equal(code, 0, String(stderr))
    return String(stdout)
  } finally {
    session.close()
  }
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
  } catch (error) {
    if (error instanceof ExpectedError) return error.code
    throw error
  }
  return assert.fail('it succeeded')
}

/** Waits for what comes by itself; the test's own time limit ends it. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(20)
}

const digest = (text: string) => createHash('sha256').update(text).digest('hex')

describe('A router for tests', function () {
  const routers = withRouters()
  const { start } = routers

  it('boots, and lets in by password and by key', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cctl-router-test-'))
    try {
      const path = makeKey(folder, 'engineer')
      const router = await start({ authorizedKeys: [readFileSync(`${path}.pub`, 'utf8').trim()] })
      assert.equal(
        await runOver(router, 'id -un; cat /proc/sys/kernel/hostname'),
        'root\nOpenWrt\n',
      )
      const key = new Secret(readFileSync(path, 'utf8'))
      const identity = await parseIdentity(key, undefined, path)
      assert.equal(await runOver(router, 'echo in', { kind: 'identity', identity }), 'in\n')
      assert.equal(await codeOf(open(router, passwordLogin('wrong'))), 'ssh-login-refused')
      assert.match(router.log(), /Bad password attempt for 'root'/)
      await router.shell(
        'uci set dropbear.@dropbear[0].PasswordAuth=off; uci commit dropbear; /etc/init.d/dropbear reload',
      )
      assert.equal(await codeOf(open(router)), 'ssh-login-refused')
      assert.equal(await runOver(router, 'echo in', { kind: 'identity', identity }), 'in\n')
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('has the commands of its firmware and no others', async () => {
    const [openwrt, rutos] = await Promise.all([start(), start({ driver: 'rutos' })])
    const found = async (router: TestRouter, names: string) =>
      (
        await router.shell(
          `for each in ${names}; do type $each >/dev/null 2>&1 && echo $each; done`,
        )
      ).stdout
    const absent = 'nohup setsid stat realpath od base64 mkpasswd sha1sum sha512sum python3 node'
    const present =
      'ash awk sed grep sha256sum hexdump flock mktemp start-stop-daemon passwd uci ubus'
    for (const router of [openwrt, rutos]) assert.equal(await found(router, absent), '')
    assert.equal(await found(openwrt, present), `${present.split(' ').join('\n')}\n`)
    assert.equal(await found(openwrt, 'timeout chpasswd'), '')
    assert.equal(await found(rutos, 'timeout chpasswd start-stop-daemon'), 'timeout\nchpasswd\n')
    assert.equal((await openwrt.shell('sleep 0.1')).code, 1)
  })

  it('keeps its flash over a reboot and a power cut, and nothing else', async () => {
    const router = await start()
    await runOver(
      router,
      'echo kept >/etc/kept; echo lost >/tmp/lost; uci set system.@system[0].hostname=x',
    )
    await router.reboot()
    assert.equal(
      await runOver(router, 'cat /etc/kept; ls /tmp/lost 2>&1; uci changes'),
      'kept\nls: /tmp/lost: No such file or directory\n',
    )
    await router.cutPower()
    assert.equal(await codeOf(open(router)), 'ssh-unreachable')
    assert.equal(router.readFlash('etc/kept'), 'kept\n')
    await router.boot()
    assert.equal(await runOver(router, 'cat /etc/kept'), 'kept\n')
    // A person may reboot it as well.
    const session = await open(router)
    await session.run('reboot').catch(() => undefined)
    session.close()
    await until(async () => {
      const again = await open(router).catch(() => undefined)
      again?.close()
      return again !== undefined
    })
  })

  it('runs init scripts at boot, in order', async () => {
    const router = await start()
    for (const [name, start] of [
      ['late', '96'],
      ['early', '19'],
    ] as const)
      router.writeFlash(
        `etc/init.d/${name}`,
        `#!/bin/sh /etc/rc.common\nSTART=${start}\nstart() { echo ${name} >>/tmp/order; }\n`,
        0o755,
      )
    router.writeFlash('etc/rc.local', 'echo local >>/tmp/order\nexit 0\n')
    await router.shell('/etc/init.d/late enable; /etc/init.d/early enable')
    await router.reboot()
    assert.equal((await router.shell('cat /tmp/order')).stdout, 'early\nlocal\nlate\n')
  })

  it('changes passwords in its own shadow, each firmware in its own way', async () => {
    const [openwrt, rutos] = await Promise.all([start(), start({ driver: 'rutos' })])
    const twice = (password: string) =>
      `printf '%s\\n%s\\n' '${password}' '${password}' | passwd root`
    assert.equal((await openwrt.shell(twice('weak'))).code, 0)
    assert.equal((await openwrt.shell("printf 'one\\nother\\n' | passwd root")).code, 1)
    assert.equal(await runOver(openwrt, 'echo in', passwordLogin('weak')), 'in\n')
    assert.equal(await codeOf(open(openwrt)), 'ssh-login-refused')
    assert.equal((await rutos.shell(twice('weak'))).code, 1)
    assert.equal((await rutos.shell(twice(rutos.password))).code, 1)
    assert.equal((await rutos.shell(twice('New-Password-2'))).code, 0)
    assert.equal(await runOver(rutos, 'echo in', passwordLogin('New-Password-2')), 'in\n')
    // Not atomic over lines: what came before the bad one is changed.
    const { code } = await rutos.shell('chpasswd', 'root:third\nnobody:x\nadmin:fourth\n')
    assert.equal(code, 1)
    assert.equal(await runOver(rutos, 'echo in', passwordLogin('third')), 'in\n')
    assert.match(rutos.readFlash('etc/shadow') ?? '', /^root:\$6\$[^]*\nadmin:\$6\$/)
  })

  it('puts on air what was committed when the Wi-Fi was last reloaded', async () => {
    const router = await start({
      radios: 2,
      sections: [
        { options: { device: 'radio1', mode: 'sta', ssid: 'Uplink', key: 'uplink-key-1' } },
        {
          options: {
            device: 'radio1',
            mode: 'ap',
            ssid: 'Second',
            encryption: 'sae',
            key: 'second-key-1',
          },
        },
      ],
    })
    const ssids = () => router.onAir().map(({ ssid }) => ssid)
    assert.deepEqual(ssids(), ['Old plant', 'Second'])
    assert.equal(router.onAir()[0]?.keyDigest, digest('old-passphrase-1'))
    await router.shell("uci set wireless.default_radio0.ssid='New'; wifi reload; sleep 1")
    assert.deepEqual(ssids(), ['Old plant', 'Second'])
    await router.shell('uci commit wireless; wifi reload')
    await until(() => ssids().includes('New'))
    assert.match(
      (await router.shell('ubus call hostapd.phy0-ap0 get_status')).stdout,
      /"ssid": "New"/,
    )
    // A passphrase that hostapd refuses keeps the access point down.
    await router.shell(
      'uci set wireless.default_radio0.key=short; uci commit wireless; wifi reload',
    )
    await until(() => !ssids().includes('New'))
    const { stdout } = await router.shell('ubus call network.wireless status')
    assert.match(stdout, /"setup_errors": \[ "INVALID_WPA_PSK" \]/)
    assert.match(JSON.stringify(JSON.parse(stdout)), /"ifname":"phy1-ap0"/)
    assert.equal((await router.shell('ubus call hostapd.phy0-ap0 get_status')).code, 4)
  })

  it('has those stations on air whose passphrase is valid there', async () => {
    const router = await start()
    router.setStations([
      { mac: '02:00:00:00:00:01', ssid: 'Old plant', passphrase: 'old-passphrase-1' },
      { mac: '02:00:00:00:00:02', ssid: 'Old plant', passphrase: 'new-passphrase-2' },
    ])
    const joined = async () => {
      const { stdout } = await router.shell('ubus call hostapd.phy0-ap0 get_clients')
      return Object.keys((JSON.parse(stdout) as { clients: object }).clients)
    }
    assert.deepEqual(await joined(), ['02:00:00:00:00:01'])
    await router.shell(
      'uci set wireless.extra=wifi-station; uci set wireless.extra.key=new-passphrase-2; uci set wireless.extra.iface=default_radio0; uci commit wireless; wifi reload',
    )
    await until(async () => (await joined()).length === 2)
  })

  it('lets a job go on in the background after the connection is gone', async () => {
    const router = await start()
    const session = await open(router)
    await session.run(`( trap '' HUP; sleep 1; echo done >/tmp/job ) </dev/null >/dev/null 2>&1 &`)
    session.close()
    await until(async () => (await router.shell('cat /tmp/job')).stdout === 'done\n')
  })

  it('is out of reach while its cable is cut, and a session finds that out', async () => {
    const router = await start({ network: 'cable' })
    const session = await open(router)
    assert.equal(String((await session.run('echo here')).stdout), 'here\n')
    await router.cutLink()
    assert.equal(await codeOf(session.run('echo gone')), 'ssh-lost')
    assert.match(await codeOf(open(router)), /^ssh-(?:timeout|unreachable)$/)
    // It stays cut over a reboot.
    await router.cutPower()
    await router.boot()
    assert.match(await codeOf(open(router)), /^ssh-(?:timeout|unreachable)$/)
    await router.plugLink()
    assert.equal(await runOver(router, 'echo again'), 'again\n')
    session.close()
  })

  it('shows another host key when it has one', async () => {
    const router = await start()
    const before = router.hostKey
    await router.changeHostKey()
    assert.notDeepEqual(router.hostKey, before)
    assert.equal(await codeOf(open({ ...router, hostKey: before })), 'host-key-changed')
    assert.equal(await runOver(router, 'echo in'), 'in\n')
  })

  it('shows its processes, and a secret on a command line is seen', async () => {
    const router = await start()
    const session = await open(router)
    const running = session.run('sleep 1; true seen by everybody')
    await until(() => router.processes().some((line) => line.includes('seen by everybody')))
    await running
    session.close()
  })

  it('leaves nothing behind', async () => {
    const ours = new RegExp(`^cctl-(?:rom|router)-${process.pid}-`)
    const traces = () => [
      ...readdirSync(tmpdir()).filter((name) => ours.test(name)),
      ...Object.keys(networkInterfaces()).filter((name) =>
        name.startsWith(`cctl${process.pid.toString(36)}x`),
      ),
      ...execFileSync('cat', ['/proc/mounts'], { encoding: 'utf8' })
        .split('\n')
        .filter((line) => line.includes('/cctl-')),
    ]
    const before = traces()
    const made = await Promise.all([
      start({ network: 'cable' }),
      start({ driver: 'rutos' }),
      start(),
    ])
    assert.ok(traces().length > before.length)
    await made[2]?.cutPower()
    await routers.stop()
    assert.deepEqual(traces(), before)
    assert.equal(existsSync(`/proc/${process.pid}`), true)
  })
})
