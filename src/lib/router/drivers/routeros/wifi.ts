import { createHash } from 'node:crypto'
import type { SshSession } from '../../../ssh/session.js'
import type { AccessPointState } from '../inspector.js'
import { askMenu, isYes, printItems, putField, readItems, textOf, type Item } from './console.js'

/** Where a value is set, so that setting it there changes what is in force. */
export interface Place {
  /** E.g. `/interface wifi security`. */
  menu: string
  /** The item's name. */
  name: string
  field: string
}

/** A Wi-Fi interface as what it inherits makes it. */
export interface RosInterface {
  name: string
  mode: 'ap' | (string & {})
  ssid: string
  isOn: boolean
  /** Names as RouterOS has them, e.g. `wpa2-psk`. */
  types: readonly string[]
  encryption: string
  pmf: AccessPointState['pmf']
  wps: boolean
  /** SHA-256 of salt and passphrase; undefined where there is none. */
  digest: string | undefined
  /** Where its passphrase is set; of the older menu there may be two, one for each kind of WPA. */
  passphraseAt: readonly Place[]
  ssidAt: Place
  /** Where its group of further passphrases is set, and which it is; undefined where there are no such groups. */
  groupAt: Place | undefined
  group: string
  /** Undefined where RouterOS does not say. */
  isOnAir: boolean | undefined
  stations: number
}

/** A passphrase beside those of the interfaces. */
export interface RosExtra {
  /** `multi-passphrase` or `access-list`, and its internal number. */
  id: string
  comment: string
  mac: string | undefined
  digest: string
  isOff: boolean
}

/** All that a router's Wi-Fi menus say. */
export interface RosWifi {
  interfaces: readonly RosInterface[]
  extras: readonly RosExtra[]
  /** The menu of further passphrases, from RouterOS 7.17 on. */
  extraMenu: string | undefined
}

type Digest = (passphrase: string) => string | undefined

/** The drivers of RouterOS 7.13 and later, of 7.0 to 7.12, and the ones before, which 7 still has. */
const NEWER_MENUS = ['wifi', 'wifiwave2'] as const
const OLDER_MENU = 'wireless'

/**
 * Reads a router's Wi-Fi. RouterOS has no SHA-256: passphrases come over the encrypted connection, are digested here at
 * once and are not kept.
 * @throws FailureError when the user may not see passphrases: a router of which nothing is known is not a good one
 */
export async function readWifi(session: SshSession, salt: string): Promise<RosWifi> {
  const digest: Digest = (passphrase) =>
    passphrase === ''
      ? undefined
      : createHash('sha256').update(salt).update(passphrase).digest('hex')
  const parts: RosWifi[] = []
  for (const name of NEWER_MENUS) {
    const part = await readNewer(session, name, digest)
    if (part === undefined) continue
    parts.push(part)
    break
  }
  const older = await readOlder(session, digest)
  if (older) parts.push(older)
  return {
    interfaces: parts.flatMap(({ interfaces }) => interfaces),
    extras: parts.flatMap(({ extras }) => extras),
    extraMenu: parts.find(({ extraMenu }) => extraMenu !== undefined)?.extraMenu,
  }
}

/** Which of a monitor's fields tells whether an access point is on air. */
function monitored(menu: string, field: string): string[] {
  const said = `[:tostr ([${menu} monitor ($a->".id") once as-value]->"${field}")]`
  return [`:local s "";:do {:set s ${said}} on-error={}`, putField('state', '$s')]
}

function counted(menu: string): string {
  const stations = `[${menu} registration-table find where interface=($a->"name")]`
  return putField('stations', `[:len ${stations}]`)
}

function secret(menu: string, field: string): string {
  return putField(field, `[${menu} get ($a->".id") ${field}]`)
}

async function readNewer(
  session: SshSession,
  name: string,
  digest: Digest,
): Promise<RosWifi | undefined> {
  const menu = `/interface ${name}`
  const settings = (prefix: string) => [
    ...['authentication-types', 'encryption', 'management-protection', 'wps'].map(
      (field) => `${prefix}${field}`,
    ),
  ]
  const own = ['configuration.mode', 'configuration.ssid', ...settings('security.')]
  const lines = await askMenu(
    session,
    name,
    [
      printItems(
        menu,
        'interface',
        ['name', 'disabled', 'dynamic', 'configuration', 'security', ...own],
        [secret(menu, 'security.passphrase'), ...monitored(menu, 'state'), counted(menu)],
      ),
      printItems(
        `${menu} security`,
        'security',
        ['name', ...settings('')],
        [secret(`${menu} security`, 'passphrase')],
      ),
      printItems(
        `${menu} configuration`,
        'configuration',
        ['name', 'mode', 'ssid', 'security', ...settings('security.')],
        [secret(`${menu} configuration`, 'security.passphrase')],
      ),
      printItems(
        `${menu} access-list`,
        'access-list',
        ['.id', 'mac-address', 'disabled'],
        [secret(`${menu} access-list`, 'passphrase')],
      ),
    ].join(';'),
  )
  if (lines === undefined) return undefined
  const of = readItems(lines)
  const extraMenu = `${menu} security multi-passphrase`
  const more = await readGroups(session, menu, extraMenu)
  const chain = { menu, of, groups: more, digest }
  return {
    interfaces: of('interface').map((item) => newerInterface(item, chain)),
    extras: [
      ...of('access-list').flatMap((item) => extraOf(item, 'access-list', 'passphrase', digest)),
      ...(more?.('extra') ?? []).flatMap((item) =>
        extraOf(item, 'multi-passphrase', 'passphrase', digest),
      ),
    ],
    extraMenu: more && extraMenu,
  }
}

/** From 7.17 on: further passphrases, and which interfaces and profiles have them. */
async function readGroups(
  session: SshSession,
  menu: string,
  extraMenu: string,
): Promise<((kind: string) => Item[]) | undefined> {
  const lines = await askMenu(
    session,
    'multi-passphrase',
    [
      printItems(
        extraMenu,
        'extra',
        ['.id', 'group', 'comment', 'disabled'],
        [secret(extraMenu, 'passphrase')],
      ),
      printItems(menu, 'interface', ['name', 'security.multi-passphrase-group']),
      printItems(`${menu} security`, 'security', ['name', 'multi-passphrase-group']),
      printItems(`${menu} configuration`, 'configuration', [
        'name',
        'security.multi-passphrase-group',
      ]),
    ].join(';'),
  )
  return lines && readItems(lines)
}

interface Chain {
  menu: string
  of: (kind: string) => Item[]
  groups: ((kind: string) => Item[]) | undefined
  digest: Digest
}

/** What a setting is for an interface, and where it comes from: its own comes first, then what its profiles say. */
function newerInterface(item: Item, { menu, of, groups, digest }: Chain): RosInterface {
  const named = (kind: string, name: string, items = of) =>
    items(kind).find((each) => name !== '' && textOf(each, 'name') === name)
  const name = textOf(item, 'name')
  const configuration = named('configuration', textOf(item, 'configuration'))
  const profiles = [textOf(item, 'security'), textOf(configuration, 'security')]
  const steps = [
    { kind: 'interface', menu, name, prefix: 'security.' },
    { kind: 'security', menu: `${menu} security`, name: profiles[0] ?? '', prefix: '' },
    {
      kind: 'configuration',
      menu: `${menu} configuration`,
      name: textOf(configuration, 'name'),
      prefix: 'security.',
    },
    { kind: 'security', menu: `${menu} security`, name: profiles[1] ?? '', prefix: '' },
  ]
  const find = (field: string, items = of): { value: string; at: Place | undefined } => {
    for (const step of steps) {
      const value = textOf(named(step.kind, step.name, items), `${step.prefix}${field}`)
      const at = { menu: step.menu, name: step.name, field: `${step.prefix}${field}` }
      if (value !== '') return { value, at }
    }
    return { value: '', at: undefined }
  }
  const passphrase = find('passphrase')
  const at = passphrase.at ?? { menu, name, field: 'security.passphrase' }
  const group = groups && find('multi-passphrase-group', groups)
  const types = namesIn(find('authentication-types').value)
  const ownSsid = textOf(item, 'configuration.ssid')
  const inherited = textOf(configuration, 'ssid')
  const isInherited = ownSsid === '' && inherited !== ''
  const mode = textOf(item, 'configuration.mode') || textOf(configuration, 'mode') || 'ap'
  const state = textOf(item, 'state')
  return {
    name,
    // What a controller sets cannot be set here.
    mode: isYes(item, 'dynamic') ? 'capsman' : mode,
    ssid: ownSsid || inherited,
    isOn: !isYes(item, 'disabled'),
    types,
    encryption: encryptionOf(types, find('encryption').value),
    pmf: newerPmf(find('management-protection').value, types),
    // Where nothing is said, its button is on.
    wps: types.length > 0 && find('wps').value !== 'disable',
    digest: digest(passphrase.value),
    passphraseAt: [at],
    ssidAt: isInherited
      ? { menu: `${menu} configuration`, name: textOf(configuration, 'name'), field: 'ssid' }
      : { menu, name, field: 'configuration.ssid' },
    groupAt: group && (group.at ?? { ...at, field: groupField(at.field) }),
    group: group?.value ?? '',
    isOnAir: state === '' ? undefined : state === 'running',
    stations: Number(textOf(item, 'stations')),
  }
}

const groupField = (field: string) => field.replace('passphrase', 'multi-passphrase-group')

async function readOlder(session: SshSession, digest: Digest): Promise<RosWifi | undefined> {
  const menu = `/interface ${OLDER_MENU}`
  const profiles = `${menu} security-profiles`
  const keys = ['wpa-pre-shared-key', 'wpa2-pre-shared-key']
  const lines = await askMenu(
    session,
    OLDER_MENU,
    [
      printItems(
        menu,
        'interface',
        ['name', 'disabled', 'dynamic', 'mode', 'ssid', 'security-profile', 'wps-mode'],
        [...monitored(menu, 'status'), counted(menu)],
      ),
      printItems(
        profiles,
        'profile',
        ['name', 'mode', 'authentication-types', 'unicast-ciphers', 'management-protection'],
        keys.map((key) => secret(profiles, key)),
      ),
      printItems(
        `${menu} access-list`,
        'access-list',
        ['.id', 'mac-address', 'disabled'],
        [secret(`${menu} access-list`, 'private-pre-shared-key')],
      ),
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
        { menu, profiles, digest },
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
  { menu, profiles, digest }: { menu: string; profiles: string; digest: Digest },
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
    passphraseAt: fields.map((field) => ({ menu: profiles, name: textOf(profile, 'name'), field })),
    ssidAt: { menu, name, field: 'ssid' },
    groupAt: undefined,
    group: '',
    isOnAir: status === '' ? undefined : status === 'running-ap',
    stations: Number(textOf(item, 'stations')),
  }
}

function extraOf(item: Item, kind: string, field: string, digest: Digest): RosExtra[] {
  const found = digest(textOf(item, field))
  if (found === undefined) return []
  const mac = textOf(item, 'mac-address')
  return [
    {
      id: `${kind} ${textOf(item, '.id')}`,
      comment: textOf(item, 'comment'),
      mac: mac === '' || mac === '00:00:00:00:00:00' ? undefined : mac,
      digest: found,
      isOff: isYes(item, 'disabled'),
    },
  ]
}

/** A list as the console writes it: with semicolons, or with commas. */
function namesIn(list: string): string[] {
  return list.split(/[;,]/).filter((each) => each !== '')
}

/** In OpenWrt's words, in which rules are written. */
function encryptionOf(types: readonly string[], ciphers: string): string {
  const has = (type: string) => types.includes(type)
  const tkip = namesIn(ciphers).includes('tkip') ? '+tkip' : ''
  if (types.length === 0) return 'none'
  if (has('owe')) return 'owe'
  if (has('wpa-psk')) return (has('wpa2-psk') ? 'psk-mixed' : 'psk') + tkip
  if (has('wpa3-psk')) return (has('wpa2-psk') ? 'sae-mixed' : 'sae') + tkip
  if (has('wpa2-psk')) return `psk2${tkip}`
  return (has('wpa-eap') ? 'wpa' : 'wpa2') + tkip
}

/** WPA2 allows it and WPA3 demands it where nothing is said. */
function newerPmf(said: string, types: readonly string[]): AccessPointState['pmf'] {
  if (said === 'required') return 'required'
  if (said === 'allowed') return 'optional'
  if (said === 'disabled' || types.length === 0) return 'off'
  return types.some((type) => type.startsWith('wpa2') || type.startsWith('wpa-'))
    ? 'optional'
    : 'required'
}
