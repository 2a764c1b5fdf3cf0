import type { SshSession } from '../../../../ssh/session.js'
import type { AccessPointState } from '../../inspector.js'
import { askMenu, isYes, printItems, readItems, textOf, type Item } from '../console.js'
import type { Digest, Likeness, Place, RosInterface, RosWifi } from './types.js'
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

const SECURITY = ['authentication-types', 'encryption', 'management-protection', 'wps'] as const

/**
 * Reads the newer menus.
 * @param name the last word of the menu
 * @returns undefined where there is no such menu
 */
export async function readNewer(
  session: SshSession,
  name: string,
  digest: Digest,
): Promise<RosWifi | undefined> {
  const menu = `/interface ${name}`
  const inline = SECURITY.map((field) => `security.${field}`)
  const links = ['configuration', 'security', 'datapath', 'datapath.bridge', 'master-interface']
  const own = ['configuration.mode', 'configuration.ssid', ...inline]
  const lines = await askMenu(
    session,
    name,
    [
      printItems(
        menu,
        'interface',
        ['name', 'disabled', 'dynamic', ...links, ...own],
        [secret(menu, 'security.passphrase'), ...monitored(menu, 'state'), counted(menu)],
      ),
      printItems(
        `${menu} security`,
        'security',
        ['name', ...SECURITY],
        [secret(`${menu} security`, 'passphrase')],
      ),
      printItems(
        `${menu} configuration`,
        'configuration',
        ['name', 'mode', 'ssid', 'security', ...inline],
        [secret(`${menu} configuration`, 'security.passphrase')],
      ),
      printAccessList(menu, 'passphrase'),
      printPorts(),
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
    second: likenessOf(item, { menu, of, find: (field) => find(field).value }),
    isOnAir: state === '' ? undefined : state === 'running',
    stations: Number(textOf(item, 'stations')),
  }
}

/** It inherits what the first one inherits; what is set at the first one itself is set again. */
function likenessOf(
  item: Item,
  {
    menu,
    of,
    find,
  }: { menu: string; of: (kind: string) => Item[]; find: (field: string) => string },
): Likeness | undefined {
  const name = textOf(item, 'name')
  const port = portOf(of, name)
  if (port === undefined) return undefined
  const security = SECURITY.map(
    (field) => [`security.${field}`, find(field).replaceAll(';', ',')] as const,
  )
  return {
    menu,
    fields: {
      'master-interface': textOf(item, 'master-interface') || name,
      ...settings(item, ['configuration', 'security', 'datapath', 'datapath.bridge']),
      'configuration.mode': 'ap',
      ...Object.fromEntries(security.filter(([, value]) => value !== '')),
    },
    ssidField: 'configuration.ssid',
    passphraseFields: ['security.passphrase'],
    profile: undefined,
    port: 'bridge' in port ? port : undefined,
  }
}

const groupField = (field: string) => field.replace('passphrase', 'multi-passphrase-group')

/** WPA2 allows it and WPA3 demands it where nothing is said. */
function newerPmf(said: string, types: readonly string[]): AccessPointState['pmf'] {
  if (said === 'required') return 'required'
  if (said === 'allowed') return 'optional'
  if (said === 'disabled' || types.length === 0) return 'off'
  return types.some((type) => type.startsWith('wpa2') || type.startsWith('wpa-'))
    ? 'optional'
    : 'required'
}
