/** A menu of RouterOS. */
export interface Menu {
  fields: readonly string[]
  /** What only users with the policy `sensitive` may read, and `print` never shows. */
  sensitive?: readonly string[]
  /** One set of settings instead of items. */
  isSettings?: true
  /** Two items with one name are refused. */
  isUnique?: true
}

/** A release with its Wi-Fi drivers; 7 has either the older ones or the newer ones. */
export type Flavour = '6.49' | '7.12 wireless' | '7.12 wifiwave2' | '7.16 wifi' | '7.20 wifi'

const SECURITY = ['authentication-types', 'encryption', 'management-protection', 'wps'] as const
const dotted = (names: readonly string[]) => names.map((name) => `security.${name}`)
const STATION = ['interface', 'mac-address']

const ALWAYS: Readonly<Record<string, Menu>> = {
  '/system resource': {
    fields: ['version', 'free-hdd-space', 'total-hdd-space'],
    isSettings: true,
  },
  '/system identity': { fields: ['name'], isSettings: true },
  '/system routerboard': { fields: ['serial-number'], isSettings: true },
  '/system script': {
    fields: ['name', 'policy', 'source', 'comment'],
    isUnique: true,
  },
  '/system scheduler': {
    fields: [
      ...['name', 'start-time', 'interval', 'on-event', 'policy', 'comment', 'disabled'],
      ...['next-run', 'run-count'],
    ],
    isUnique: true,
  },
  '/interface bridge port': { fields: ['interface', 'bridge', 'pvid', 'dynamic'] },
  '/interface ethernet': { fields: ['name', 'mac-address'], isUnique: true },
  '/ip ssh': { fields: ['always-allow-password-login', 'strong-crypto'], isSettings: true },
  '/ip service': { fields: ['name', 'port', 'disabled'], isUnique: true },
  '/user': {
    fields: ['name', 'group', 'disabled', 'password', 'comment'],
    // To nobody at all.
    sensitive: ['password'],
    isUnique: true,
  },
  '/user ssh-keys': { fields: ['user', 'bits', 'key-owner', 'key-type'] },
  '/ppp secret': {
    fields: ['name', 'password', 'comment', 'disabled'],
    sensitive: ['password'],
    isUnique: true,
  },
}

const WIRELESS: Readonly<Record<string, Menu>> = {
  '/interface wireless': {
    fields: [
      ...['name', 'mode', 'ssid', 'security-profile', 'disabled', 'dynamic', 'wps-mode'],
      ...['mac-address', 'master-interface', 'hide-ssid', 'default-authentication'],
      ...['default-forwarding', 'vlan-mode', 'vlan-id'],
    ],
    isUnique: true,
  },
  '/interface wireless security-profiles': {
    fields: [
      ...['name', 'mode', 'authentication-types', 'unicast-ciphers', 'group-ciphers'],
      ...['management-protection', 'wpa-pre-shared-key', 'wpa2-pre-shared-key'],
    ],
    sensitive: ['wpa-pre-shared-key', 'wpa2-pre-shared-key'],
    isUnique: true,
  },
  '/interface wireless registration-table': { fields: STATION },
  '/interface wireless access-list': {
    fields: ['mac-address', 'interface', 'private-pre-shared-key', 'disabled'],
    sensitive: ['private-pre-shared-key'],
  },
}

/** @param name `wifi`, or `wifiwave2` before 7.13. @param hasGroups from 7.17 on */
function wifiMenus(name: string, hasGroups: boolean): Record<string, Menu> {
  const group = hasGroups ? ['multi-passphrase-group'] : []
  const menu = `/interface ${name}`
  return {
    [menu]: {
      fields: [
        ...['name', 'disabled', 'dynamic', 'configuration', 'security', 'master-interface'],
        ...['configuration.mode', 'configuration.ssid', 'datapath', 'datapath.bridge'],
        ...dotted([...SECURITY, 'passphrase', ...group]),
      ],
      sensitive: ['security.passphrase'],
      isUnique: true,
    },
    [`${menu} security`]: {
      fields: ['name', ...SECURITY, 'passphrase', ...group],
      sensitive: ['passphrase'],
      isUnique: true,
    },
    [`${menu} configuration`]: {
      fields: [
        'name',
        'mode',
        'ssid',
        'security',
        ...dotted([...SECURITY, 'passphrase', ...group]),
      ],
      sensitive: ['security.passphrase'],
      isUnique: true,
    },
    [`${menu} registration-table`]: { fields: STATION },
    [`${menu} access-list`]: {
      fields: ['mac-address', 'interface', 'passphrase', 'disabled'],
      sensitive: ['passphrase'],
    },
    ...(hasGroups
      ? {
          [`${menu} security multi-passphrase`]: {
            fields: ['group', 'passphrase', 'expires', 'comment', 'disabled'],
            sensitive: ['passphrase'],
          },
        }
      : {}),
  }
}

const DEVICE_MODE: Readonly<Record<string, Menu>> = {
  '/system device-mode': { fields: ['mode', 'scheduler'], isSettings: true },
}

/** What menus a release has. */
export const MENUS: Readonly<Record<Flavour, Readonly<Record<string, Menu>>>> = {
  '6.49': { ...ALWAYS, ...WIRELESS },
  '7.12 wireless': { ...ALWAYS, ...WIRELESS },
  '7.12 wifiwave2': { ...ALWAYS, ...wifiMenus('wifiwave2', false) },
  '7.16 wifi': { ...ALWAYS, ...wifiMenus('wifi', false), ...DEVICE_MODE },
  '7.20 wifi': { ...ALWAYS, ...wifiMenus('wifi', true), ...DEVICE_MODE },
}

/** The menu of a release's Wi-Fi interfaces. */
export function wifiMenuOf(flavour: Flavour): string {
  const name = /wifi\w*/.exec(flavour)?.[0] ?? 'wireless'
  return `/interface ${name}`
}
