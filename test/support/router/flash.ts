import { execFileSync } from 'node:child_process'
import type { Firmware } from './rom.js'

/** A Wi-Fi section of /etc/config/wireless; without a name it is an anonymous one. */
export interface WifiSection {
  name?: string
  /** wifi-iface, unless another one is named. */
  type?: string
  options: Record<string, string | readonly string[]>
}

/** How a test's router comes out of its box. */
export interface Box {
  firmware: Firmware
  /** Of root, and of admin where there is one; empty lets everybody in. */
  password: string
  ssid: string
  passphrase: string
  hostname: string
  version: string
  /** How many radios it has; the first access point is on the first of them. */
  radios: number
  /** What stands in /etc/config/wireless after the first access point. */
  sections: readonly WifiSection[]
  /** Options of the first access point, over those it has by default. */
  accessPoint: Record<string, string>
  port: number
  /** Public keys of /etc/dropbear/authorized_keys. */
  authorizedKeys: readonly string[]
}

/** The files of a router's flash at its first boot, by path. */
export function firstFlash(box: Box): Map<string, { text: string; mode: number }> {
  const files = new Map<string, { text: string; mode: number }>()
  const put = (path: string, text: string, mode = 0o644) => files.set(path, { text, mode })
  const { firmware, version } = box
  const hash = box.password === '' ? '' : hashOf(box.password)
  const users = firmware === 'rutos' ? ['root', 'admin'] : ['root']
  put(
    'etc/passwd',
    users.map((user, index) => `${user}:x:${index * 1000}:0:${user}:/root:/bin/ash\n`).join(''),
  )
  put('etc/shadow', users.map((user) => `${user}:${hash}:19000:0:99999:7:::\n`).join(''), 0o600)
  put('etc/group', 'root:x:0:\n')
  put('etc/shells', '/bin/ash\n')
  put('etc/rc.local', '# What is to be done at the end of the boot.\n\nexit 0\n')
  put('etc/openwrt_release', releaseText(version))
  put('etc/os-release', `NAME="OpenWrt"\nVERSION="${version}"\nID="openwrt"\n`)
  if (firmware === 'rutos') put('etc/version', `${version}\n`)
  put('etc/config/wireless', wireless(box), 0o600)
  put(
    'etc/config/system',
    `\nconfig system\n\toption hostname '${box.hostname}'\n\toption timezone 'UTC'\n\n`,
  )
  put(
    'etc/config/dropbear',
    `\nconfig dropbear\n\toption PasswordAuth 'on'\n\toption RootPasswordAuth 'on'\n\toption Port '${box.port}'\n\n`,
  )
  put('etc/config/network', "\nconfig interface 'lan'\n\toption proto 'static'\n\n")
  put('etc/dropbear/authorized_keys', box.authorizedKeys.map((key) => `${key}\n`).join(''), 0o600)
  return files
}

function releaseText(version: string): string {
  return `DISTRIB_ID='OpenWrt'\nDISTRIB_RELEASE='${version}'\nDISTRIB_REVISION='r24106-10cc5fcd00'\n`
}

function wireless(box: Box): string {
  const radios: WifiSection[] = Array.from({ length: box.radios }, (_each, index) => ({
    type: 'wifi-device',
    name: `radio${index}`,
    options: {
      type: 'mac80211',
      channel: index === 0 ? '6' : '36',
      band: index === 0 ? '2g' : '5g',
    },
  }))
  const first: WifiSection = {
    type: 'wifi-iface',
    name: 'default_radio0',
    options: {
      device: 'radio0',
      network: 'lan',
      mode: 'ap',
      ssid: box.ssid,
      encryption: 'psk2',
      key: box.passphrase,
      ...box.accessPoint,
    },
  }
  return [...radios, first, ...box.sections]
    .map(({ type = 'wifi-iface', name, options }) => {
      const lines = Object.entries(options).flatMap(([option, value]) =>
        typeof value === 'string'
          ? [`\toption ${option} ${quoted(value)}\n`]
          : value.map((item) => `\tlist ${option} ${quoted(item)}\n`),
      )
      return `\nconfig ${type}${name === undefined ? '' : ` '${name}'`}\n${lines.join('')}`
    })
    .join('')
    .concat('\n')
}

const quoted = (text: string) => `'${text.replaceAll("'", String.raw`'\''`)}'`

function hashOf(password: string): string {
  const way = ['passwd', '-6', '-stdin']
  return execFileSync('openssl', way, { input: password, encoding: 'utf8' }).trim()
}
