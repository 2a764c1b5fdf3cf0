import type { SshSession } from '../../../../ssh/session.js'
import { askMenu, isYes, printItems, readItems, textOf, type Item } from '../console.js'
import type { Digest, Fields, Likeness, RosInterface, RosWifi } from './types.js'
import {
  counted,
  encryptionOf,
  extraOf,
  monitored,
  namesIn,
  portOf,
  printAccessList,
  printPorts,
  secret,
  settings,
} from './words.js'

const NAME = 'wireless'
const MENU = `/interface ${NAME}`
const PROFILES = `${MENU} security-profiles`
const KEYS = ['wpa-pre-shared-key', 'wpa2-pre-shared-key'] as const
/** What a second Wi-Fi has like the first, but for its name. */
const LIKE = ['hide-ssid', 'default-authentication', 'default-forwarding', 'vlan-mode', 'vlan-id']
const PROFILE_LIKE = [
  ...['mode', 'authentication-types', 'unicast-ciphers', 'group-ciphers'],
  'management-protection',
]

/** Reads the menu of RouterOS 6, which 7 has as well. @returns undefined where it is not there */
export async function readOlder(session: SshSession, digest: Digest): Promise<RosWifi | undefined> {
  const lines = await askMenu(
    session,
    NAME,
    [
      printItems(
        MENU,
        'interface',
        [
          ...['name', 'disabled', 'dynamic', 'mode', 'ssid', 'security-profile', 'wps-mode'],
          ...['master-interface', ...LIKE],
        ],
        [...monitored(MENU, 'status'), counted(MENU)],
      ),
      printItems(
        PROFILES,
        'profile',
        ['name', ...PROFILE_LIKE],
        KEYS.map((key) => secret(PROFILES, key)),
      ),
      printAccessList(MENU, 'private-pre-shared-key'),
      printPorts(),
    ].join(';'),
  )
  if (lines === undefined) return undefined
  const of = readItems(lines)
  return {
    interfaces: of('interface').map((item) => {
      const name = textOf(item, 'security-profile')
      return olderInterface(
        item,
        of('profile').find((each) => textOf(each, 'name') === name),
        { of, digest },
      )
    }),
    extras: of('access-list').flatMap((item) =>
      extraOf(item, 'access-list', 'private-pre-shared-key', digest),
    ),
    extraMenu: undefined,
  }
}

function olderInterface(
  item: Item,
  profile: Item | undefined,
  { of, digest }: { of: (kind: string) => Item[]; digest: Digest },
): RosInterface {
  const isDynamic = textOf(profile, 'mode') === 'dynamic-keys'
  const types = isDynamic ? namesIn(textOf(profile, 'authentication-types')) : []
  const keys = ['wpa2', 'wpa'].filter((kind) => types.includes(`${kind}-psk`))
  const fields = (keys.length > 0 ? keys : ['wpa2']).map((kind) => `${kind}-pre-shared-key`)
  const mode = textOf(item, 'mode')
  const status = textOf(item, 'state')
  const name = textOf(item, 'name')
  const isStatic = textOf(profile, 'mode').startsWith('static-keys')
  const protection = textOf(profile, 'management-protection')
  return {
    name,
    mode: isYes(item, 'dynamic') ? 'capsman' : /^(?:ap-bridge|bridge)$/.test(mode) ? 'ap' : mode,
    ssid: textOf(item, 'ssid'),
    isOn: !isYes(item, 'disabled'),
    types,
    encryption: isStatic ? 'wep' : encryptionOf(types, textOf(profile, 'unicast-ciphers')),
    pmf: protection === 'required' ? 'required' : protection === 'allowed' ? 'optional' : 'off',
    wps: !/^(?:disabled)?$/.test(textOf(item, 'wps-mode')),
    digest: keys.length > 0 ? digest(textOf(profile, fields[0] ?? '')) : undefined,
    passphraseAt: fields.map((field) => ({ menu: PROFILES, name: textOf(profile, 'name'), field })),
    ssidAt: { menu: MENU, name, field: 'ssid' },
    groupAt: undefined,
    group: '',
    second: likenessOf(item, profile, { passphraseFields: fields, port: portOf(of, name) }),
    isOnAir: status === '' ? undefined : status === 'running-ap',
    stations: Number(textOf(item, 'stations')),
  }
}

/** It has a profile of its own, for there its passphrase stands. */
function likenessOf(
  item: Item,
  profile: Item | undefined,
  { passphraseFields, port }: { passphraseFields: readonly string[]; port: Fields | undefined },
): Likeness | undefined {
  if (port === undefined) return undefined
  return {
    menu: MENU,
    fields: {
      'master-interface': textOf(item, 'master-interface') || textOf(item, 'name'),
      mode: 'ap-bridge',
      'wps-mode': 'disabled',
      ...settings(item, LIKE),
    },
    ssidField: 'ssid',
    passphraseFields,
    profile: { menu: PROFILES, fields: settings(profile, PROFILE_LIKE) },
    port: 'bridge' in port ? port : undefined,
  }
}
