import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { isOlderFirmware } from '../../../src/lib/router/check/firmware.js'
import { guess } from '../../../src/lib/router/check/guessable.js'
import { judgeRouter } from '../../../src/lib/router/check/rules.js'
import type { Expected } from '../../../src/lib/router/check/types.js'
import type { AccessPointState, RouterState } from '../../../src/lib/router/drivers/inspector.js'
import { saltedDigest as saltedDigestOf } from '../../../src/lib/router/rotation/wifi.js'
import { Secret } from '../../../src/lib/secret.js'

const saltedDigest = (salt: string, secret: string) => saltedDigestOf(salt, new Secret(secret))
const SALT = 'salt'
const PASSPHRASE = 'a-passphrase-nobody-guesses'

const POINT: AccessPointState = {
  section: 'default_radio0',
  radio: 'radio0',
  ssid: 'CLV-000042',
  isOn: true,
  encryption: 'sae-mixed',
  pmf: 'optional',
  wps: false,
  keyDigest: saltedDigest(SALT, PASSPHRASE),
  isOnAir: true,
  stations: 3,
}
const STATE: RouterState = {
  firmware: { name: 'OpenWrt', version: '23.05.5' },
  hostname: 'clv-000042',
  labels: ['94:83:c4:00:11:22', '1100112233'],
  accessPoints: [POINT],
  others: [{ section: 'uplink', mode: 'sta' }],
  extras: [],
  ssh: [{ port: 22, takesPasswords: false }],
  authorizedKeys: [{ type: 'ssh-ed25519', fingerprint: 'SHA256:ours' }],
  accounts: [{ name: 'root', password: 'set' }],
  change: undefined,
  staged: [],
  flash: { freeKiB: 4000, totalKiB: 8000 },
  unseen: [],
}
const EXPECTED: Expected = {
  installation: 'solar-0042',
  driver: 'openwrt',
  login: 'identity',
  wifi: { ssid: 'CLV-000042', passphrase: new Secret(PASSPHRASE) },
  former: undefined,
  password: new Secret('an-admin-password-nobody-guesses'),
  keys: ['SHA256:ours'],
  isRotating: false,
  wantedFirmware: '23.05.5',
}

const point = (more: Partial<AccessPointState>): Partial<RouterState> => ({
  accessPoints: [{ ...POINT, ...more }],
})
const md5 = (text: string) => createHash('md5').update(text).digest('hex')

/** What is wrong with a router, what is recorded of it, and the rules that say so. */
const CASES: [string, Partial<RouterState>, Partial<Expected>, string[]][] = [
  ['nothing', {}, {}, []],
  ['its name', point({ ssid: 'x' }), {}, ['ssid-changed']],
  ['its passphrase', point({ keyDigest: saltedDigest(SALT, 'other') }), {}, ['wifi-key-changed']],
  ['an access point that is off', point({ isOn: false, ssid: 'x', encryption: 'wep' }), {}, []],
  ['no recorded Wi-Fi', point({ ssid: 'x' }), { wifi: undefined }, []],
  ['an open Wi-Fi', point({ encryption: 'none', pmf: 'off' }), {}, ['weak-encryption']],
  ['WEP', point({ encryption: 'wep+shared' }), {}, ['weak-encryption']],
  ['WPA', point({ encryption: 'psk' }), {}, ['weak-encryption']],
  ['WPA beside WPA2', point({ encryption: 'psk-mixed' }), {}, ['weak-encryption']],
  ['TKIP', point({ encryption: 'psk2+tkip' }), {}, ['weak-encryption']],
  ['WPA2', point({ encryption: 'psk2+ccmp', pmf: 'off' }), {}, ['pmf-off']],
  ['WPA2 with protected frames', point({ encryption: 'psk2', pmf: 'optional' }), {}, []],
  ['WPS', point({ wps: true }), {}, ['wps-on']],
  ['an access point that is not on air', point({ isOnAir: false }), {}, ['not-on-air']],
  ['a driver that cannot tell', point({ isOnAir: undefined, keyDigest: undefined }), {}, []],
  [
    'a passphrase that everybody knows',
    point({ keyDigest: saltedDigest(SALT, '12345678') }),
    { wifi: { ssid: POINT.ssid, passphrase: new Secret('12345678') } },
    ['default-secret'],
  ],
  [
    'a passphrase made of the MAC address',
    point({ keyDigest: saltedDigest(SALT, md5('9483C4001122').slice(0, 16)) }),
    {},
    ['wifi-key-changed', 'derived-secret'],
  ],
  ['a password that everybody knows', {}, { password: new Secret('admin01') }, ['default-secret']],
  [
    'a password of the serial number',
    {},
    { password: new Secret('1100112233') },
    ['derived-secret'],
  ],
  [
    'another passphrase beside it',
    { extras: [{ section: 'guest', mac: undefined, keyDigest: saltedDigest(SALT, 'x') }] },
    {},
    ['extra-passphrase'],
  ],
  [
    'the one that a rotation has put there',
    { extras: [{ section: 'cleverctl_next', mac: undefined, keyDigest: saltedDigest(SALT, 'x') }] },
    { isRotating: true },
    ['unfinished-rotation'],
  ],
  [
    'the former passphrase while loggers move',
    {
      ...point({ keyDigest: saltedDigest(SALT, 'former-passphrase') }),
      extras: [
        { section: 'cleverctl_next', mac: undefined, keyDigest: saltedDigest(SALT, PASSPHRASE) },
      ],
    },
    { former: { ssid: 'CLV-former', passphrase: new Secret('former-passphrase') } },
    [],
  ],
  [
    'what a rotation has left there',
    { extras: [{ section: 'cleverctl_next', mac: undefined, keyDigest: saltedDigest(SALT, 'x') }] },
    {},
    ['extra-passphrase'],
  ],
  [
    'an account without a password',
    { accounts: [{ name: 'admin', password: 'empty' }] },
    {},
    ['empty-password'],
  ],
  ['a locked account', { accounts: [{ name: 'nobody', password: 'locked' }] }, {}, []],
  ['password login', { ssh: [{ port: 22, takesPasswords: true }] }, {}, ['ssh-password-login']],
  [
    'a key that is not recorded',
    { authorizedKeys: [{ type: 'ssh-rsa', fingerprint: 'SHA256:theirs' }] },
    {},
    ['unknown-authorized-key'],
  ],
  [
    'keys of an agent',
    { authorizedKeys: [{ type: 'ssh-rsa', fingerprint: 'SHA256:x' }] },
    { keys: undefined },
    [],
  ],
  [
    'as many keys without a fingerprint as are recorded',
    { authorizedKeys: [{ type: 'a key', fingerprint: undefined }] },
    { driver: 'routeros' },
    [],
  ],
  [
    'more keys without a fingerprint than are recorded',
    { authorizedKeys: [{ type: 'a key', fingerprint: undefined }] },
    { driver: 'routeros', keys: [] },
    ['unknown-authorized-key'],
  ],
  ['what it shows nobody', { unseen: ['passwords'] }, { driver: 'routeros' }, ['not-seen']],
  [
    'old firmware',
    { firmware: { name: 'OpenWrt', version: '22.03.7' } },
    {},
    ['firmware-outdated'],
  ],
  [
    'firmware without a number',
    { firmware: { name: 'OpenWrt', version: 'SNAPSHOT' } },
    {},
    ['firmware-unknown'],
  ],
  [
    'old firmware that nobody minds',
    { firmware: { name: 'OpenWrt', version: '1.0' } },
    { wantedFirmware: undefined },
    [],
  ],
  ['a change that is open', { change: { state: 'armed', id: 'a1' } }, {}, ['unfinished-rotation']],
  ['staged edits', { staged: [{ what: 'wireless', count: 2 }] }, {}, ['staged-edits']],
  ['a full flash', { flash: { freeKiB: 12, totalKiB: 4096 } }, {}, ['flash-full']],
]

describe('The check of a router', () => {
  for (const [what, state, expected, rules] of CASES) {
    it(`says of ${what}: ${rules.join(', ') || 'nothing'}`, () => {
      const found = judgeRouter({ ...STATE, ...state }, { ...EXPECTED, ...expected }, SALT)
      assert.deepEqual(
        found.map(({ rule }) => rule),
        rules,
      )
      for (const each of found) {
        assert.ok(each.evidence !== '' && each.next !== '')
        assert.doesNotMatch(JSON.stringify(each), /nobody-guesses|12345678|[0-9a-f]{32}/)
      }
    })
  }

  it('knows what secrets are made of, and takes nothing else for it', () => {
    const labels = ['94:83:c4:00:11:22', 'RUTX_1122']
    const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
    for (const [secret, want] of [
      ['admin01', 'default-secret'],
      ['9483c4001122', 'derived-secret'],
      ['C4001122', 'derived-secret'],
      ['RUTX_1122', 'derived-secret'],
      ['rutx_1122', 'derived-secret'],
      [md5('94:83:c4:00:11:22'), 'derived-secret'],
      [sha256('RUTX_1122').slice(0, 63), 'derived-secret'],
      ['9483c4001123', undefined],
      [md5('RUTX_1123'), undefined],
    ])
      assert.equal(
        guess(labels, (candidate) => candidate === secret),
        want,
        secret,
      )
  })

  it('compares versions by their numbers', () => {
    for (const [version, wanted, want] of [
      ['23.05.5', '23.05.5', false],
      ['23.05.5', '23.5.10', true],
      ['24.10.0', '23.05.5', false],
      ['23.05', '23.05.1', true],
      ['RUTX_R_00.07.20', '7.20', true],
      ['RUTX_R_00.07.20', '0.7.20', false],
      ['RUT9M_R_00.07.06.1', '0.7.20', true],
      ['SNAPSHOT', '1.0', undefined],
    ] as const)
      assert.equal(isOlderFirmware(version, wanted), want, `${version} ${wanted}`)
  })
})
