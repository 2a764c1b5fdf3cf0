import { isYes, printItems, putField, textOf, type Item } from '../console.js'
import type { Digest, Fields, RosExtra } from './types.js'

/** Which of a monitor's fields tells whether an access point is on air. */
export function monitored(menu: string, field: string): string[] {
  const said = `[:tostr ([${menu} monitor ($a->".id") once as-value]->"${field}")]`
  return [`:local s "";:do {:set s ${said}} on-error={}`, putField('state', '$s')]
}

/** A command that prints how many stations an interface has. */
export function counted(menu: string): string {
  const stations = `[${menu} registration-table find where interface=($a->"name")]`
  return putField('stations', `[:len ${stations}]`)
}

/** A command that prints a field that `print` does not show. */
export function secret(menu: string, field: string): string {
  return putField(field, `[${menu} get ($a->".id") ${field}]`)
}

/** A passphrase beside those of the interfaces, where an item of a menu holds one. */
export function extraOf(item: Item, kind: string, field: string, digest: Digest): RosExtra[] {
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
export function namesIn(list: string): string[] {
  return list.split(/[;,]/).filter((each) => each !== '')
}

/** In OpenWrt's words, in which rules are written. */
export function encryptionOf(types: readonly string[], ciphers: string): string {
  const has = (type: string) => types.includes(type)
  const tkip = namesIn(ciphers).includes('tkip') ? '+tkip' : ''
  if (types.length === 0) return 'none'
  if (has('owe')) return 'owe'
  if (has('wpa-psk')) return (has('wpa2-psk') ? 'psk-mixed' : 'psk') + tkip
  if (has('wpa3-psk')) return (has('wpa2-psk') ? 'sae-mixed' : 'sae') + tkip
  if (has('wpa2-psk')) return `psk2${tkip}`
  return (has('wpa-eap') ? 'wpa' : 'wpa2') + tkip
}

/** A command that prints a menu's access list. @param field that of a passphrase for one device */
export function printAccessList(menu: string, field: string): string {
  const list = `${menu} access-list`
  const fields = ['.id', 'mac-address', 'disabled']
  return printItems(list, 'access-list', fields, [secret(list, field)])
}

const PORTS = '/interface bridge port'

/** A command that prints which interfaces are ports of a bridge, for {@link portOf}. */
export function printPorts(): string {
  return printItems(PORTS, 'port', ['interface', 'bridge', 'pvid', 'dynamic'])
}

/** An interface's port: `undefined` where it has none, empty where RouterOS makes it from other settings. */
export function portOf(of: (kind: string) => Item[], name: string): Fields | undefined {
  const port = of('port').find((each) => textOf(each, 'interface') === name)
  if (port === undefined) return undefined
  return isYes(port, 'dynamic') ? {} : settings(port, ['bridge', 'pvid'])
}

/** The fields that are set, as they are set: lists with commas. */
export function settings(item: Item | undefined, names: readonly string[]): Fields {
  return Object.fromEntries(
    names
      .map((name) => [name, textOf(item, name).replaceAll(';', ',')] as const)
      .filter(([, value]) => value !== ''),
  )
}
