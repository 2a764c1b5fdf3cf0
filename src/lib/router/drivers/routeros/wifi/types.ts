import type { AccessPointState } from '../../inspector.js'

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
  /** Undefined where a second one would lead nowhere. */
  second: Likeness | undefined
  /** Undefined where RouterOS does not say. */
  isOnAir: boolean | undefined
  stations: number
}

/** What a second Wi-Fi like an interface is made of, but for its names and secrets. */
export interface Likeness {
  menu: string
  /** Fields of the interface. */
  fields: Fields
  ssidField: string
  passphraseFields: readonly string[]
  /** A profile that holds its passphrase, and bears its name; undefined where the interface holds it. */
  profile: { menu: string; fields: Fields } | undefined
  /** Its port of the bridge; undefined where it gets one by what it inherits. */
  port: Fields | undefined
}

/** Values by the names of their fields. */
export type Fields = Readonly<Record<string, string>>

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

/** Digests a passphrase; undefined where there is none. */
export type Digest = (passphrase: string) => string | undefined
