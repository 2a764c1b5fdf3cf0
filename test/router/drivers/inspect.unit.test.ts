import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FailureError } from '../../../src/lib/errors.js'
import { inspectOpenwrt, readState } from '../../../src/lib/router/drivers/openwrt/inspect.js'
import type { RouterState } from '../../../src/lib/router/drivers/inspector.js'
import { Secret } from '../../../src/lib/secret.js'
import { openSession, type SshSession } from '../../../src/lib/ssh/session.js'
import type { ScriptResult } from '../../../src/lib/ssh/types.js'
import { SecretSearch } from '../../support/secret-search.js'
import { hostKeyOfFile, makeKey } from '../../support/ssh.js'
import { withRouters } from '../../support/router/suite.js'
import type { TestRouter } from '../../support/router/test-router.js'

const SALT = 'saltForThisRun'
const digest = (secret: string) =>
  createHash('sha256')
    .update(SALT + secret)
    .digest('hex')

/** A router's state, and everything that it said for that. */
async function inspect(router: TestRouter): Promise<RouterState & { said: string }> {
  const { address, port, username, hostKey, password } = router
  const login = { kind: 'password' as const, password: new Secret(password) }
  const signal = new AbortController().signal
  const session = await openSession({ address, port, username, hostKey, logins: [login] }, [], {
    signal,
  })
  let said = ''
  const listening = {
    run: async (...given: Parameters<SshSession['run']>): Promise<ScriptResult> => {
      const result = await session.run(...given)
      said += String(result.stdout) + String(result.stderr)
      return result
    },
  }
  try {
    return { ...(await inspectOpenwrt(listening as SshSession, SALT)), said }
  } finally {
    session.close()
  }
}

describe("The state of a router that runs OpenWrt's commands", function () {
  const { start } = withRouters()

  it('is read as it comes out of the box', async () => {
    const router = await start({ ssid: 'Plant', passphrase: 'plant-passphrase' })
    router.setStations([
      { mac: '02:00:00:00:00:01', ssid: 'Plant', passphrase: 'plant-passphrase' },
    ])
    const { said: _said, labels: _labels, flash, ...state } = await inspect(router)
    assert.deepEqual(state, {
      firmware: { name: 'OpenWrt', version: '23.05.5' },
      hostname: 'OpenWrt',
      accessPoints: [
        {
          section: 'default_radio0',
          radio: 'radio0',
          ssid: 'Plant',
          isOn: true,
          encryption: 'psk2',
          pmf: 'off',
          wps: false,
          keyDigest: digest('plant-passphrase'),
          isOnAir: true,
          stations: 1,
        },
      ],
      others: [],
      extras: [],
      ssh: [{ port: router.port, takesPasswords: true }],
      authorizedKeys: [],
      accounts: [{ name: 'root', password: 'set' }],
      change: undefined,
      staged: [],
      unseen: [],
    })
    assert.ok(flash && flash.freeKiB > 1000 && flash.totalKiB === 4096)
  })

  it('has names, anonymous sections, links, extra passphrases and odd characters right', async () => {
    const ssid = `a "b" 'c' \\d $e; #f`
    const key = `it's "a" \\ $KEY \`x\` #1`
    const router = await start({
      radios: 2,
      ssid,
      passphrase: key,
      accessPoint: { encryption: 'sae-mixed', wps_pushbutton: '1' },
      sections: [
        { options: { device: 'radio1', mode: 'sta', ssid: 'Up', key: 'uplink-passphrase' } },
        {
          options: {
            device: 'radio1',
            mode: 'ap',
            ssid: 'Guests',
            encryption: 'none',
            ieee80211w: '0',
          },
        },
        { options: { device: 'radio1', mode: 'ap', ssid: 'Off', disabled: '1', key: 'x' } },
        {
          options: { device: 'radio0', mode: 'ap', ssid: 'Bad', encryption: 'psk2', key: 'short' },
        },
        {
          name: 'cleverctl_next',
          type: 'wifi-station',
          options: { key: 'next-passphrase', iface: ['default_radio0'] },
        },
      ],
    })
    const { accessPoints, others, extras } = await inspect(router)
    const [first, guests, off, bad] = accessPoints
    assert.deepEqual(
      [first?.ssid, first?.keyDigest, first?.pmf, first?.wps, first?.isOnAir],
      [ssid, digest(key), 'optional', true, true],
    )
    assert.match(guests?.section ?? '', /^cfg[0-9a-f]{6}$/)
    assert.deepEqual(
      [guests?.ssid, guests?.encryption, guests?.keyDigest, guests?.isOnAir],
      ['Guests', 'none', undefined, true],
    )
    assert.deepEqual([off?.isOn, off?.isOnAir], [false, false])
    assert.deepEqual([bad?.isOn, bad?.isOnAir], [true, false])
    assert.deepEqual(
      others.map(({ mode }) => mode),
      ['sta'],
    )
    assert.deepEqual(extras, [
      { section: 'cleverctl_next', mac: undefined, keyDigest: digest('next-passphrase') },
    ])
  })

  it('tells of keys, passwords, staged edits and a change that is not at its end', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cctl-inspect-'))
    try {
      const paths = ['ed25519', 'rsa'].map((type) => makeKey(folder, type, type))
      const lines = paths.map((path) => readFileSync(`${path}.pub`, 'utf8').trim())
      const router = await start({
        driver: 'rutos',
        authorizedKeys: ['# a remark', `no-pty,command="echo ssh-rsa" ${lines[0]}`, lines[1] ?? ''],
      })
      await router.shell(
        `uci set wireless.default_radio0.key=staged-passphrase; uci delete system.@system[0].timezone
         mkdir -p /etc/cleverctl/open; echo tx1 >/etc/cleverctl/open/id; : >/etc/cleverctl/open/armed
         sed -i 's/^admin:[^:]*/admin:/' /etc/shadow`,
      )
      const { firmware, authorizedKeys, accounts, change, staged, labels } = await inspect(router)
      assert.deepEqual(firmware, { name: 'RutOS', version: 'RUTX_R_00.07.20' })
      assert.ok(labels.includes('1100112233'))
      assert.deepEqual(
        authorizedKeys,
        paths.map((path) => hostKeyOfFile(`${path}.pub`)),
      )
      assert.deepEqual(accounts, [
        { name: 'root', password: 'set' },
        { name: 'admin', password: 'empty' },
      ])
      assert.deepEqual(change, { state: 'armed', id: 'tx1' })
      assert.deepEqual(staged, [
        { what: 'system', count: 1 },
        { what: 'wireless', count: 1 },
      ])
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('comes without a secret, in no form, and none is seen in the list of processes', async () => {
    const router = await start({ passphrase: 'a-passphrase-of-the-plant' })
    await router.shell('uci set wireless.default_radio0.key=a-staged-passphrase')
    const hash = /^root:([^:]*):/.exec(router.readFlash('etc/shadow') ?? '')?.[1] ?? ''
    const search = new SecretSearch()
    search.add('passphrase', 'a-passphrase-of-the-plant')
    search.add('staged', 'a-staged-passphrase')
    search.add('hash', hash)
    search.add('password', router.password)
    const seen = new Set<string>()
    const timer = setInterval(() => router.processes().forEach((line) => seen.add(line)), 5)
    const { said } = await inspect(router)
    clearInterval(timer)
    assert.deepEqual(search.find(`${said}\n${[...seen].join('\n')}\n${router.log()}`), [])
    assert.ok([...seen].some((line) => line.includes('sha256sum') || line.includes('uci')))
  })

  it('is not guessed from half an answer', () => {
    for (const text of [
      '',
      'end\n',
      'firmware OpenWrt 23\n',
      'firmware OpenWrt 23\nflash x y\nend\n',
      'firmware OpenWrt 23\nap s radio0 on psk2 - off shortdigest name\nend\n',
    ])
      assert.throws(() => readState(text), FailureError, text)
    assert.deepEqual(readState('firmware OpenWrt 23 rc1\nend\n').firmware.version, '23 rc1')
  })
})
