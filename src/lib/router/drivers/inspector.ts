import type { SshSession } from '../../ssh/session.js'

/** What a router is set to, and what of it is on air. Holds no secret. */
export interface RouterState {
  firmware: Firmware
  hostname: string
  /** Names that a vendor might make a secret of: MAC addresses with colons, and serial numbers. */
  labels: readonly string[]
  accessPoints: readonly AccessPointState[]
  /** Wi-Fi sections that offer nothing, such as a link to another router; they are left alone. */
  others: readonly { section: string; mode: string }[]
  /** Passphrases that work beside those of the access points. */
  extras: readonly ExtraPassphrase[]
  /** SSH servers; undefined where the driver cannot tell. */
  ssh: readonly { port: number; takesPasswords: boolean }[] | undefined
  /** Public keys that open the router; without a fingerprint where the router shows none. */
  authorizedKeys: readonly { type: string; fingerprint: string | undefined }[]
  accounts: readonly { name: string; password: 'set' | 'empty' | 'locked' | 'unseen' }[]
  /** A change of secrets that has not come to its end on the router. */
  change: { state: string; id: string } | undefined
  /** Edits that somebody has not saved, counted by what they are of. */
  staged: readonly { what: string; count: number }[]
  flash: { freeKiB: number; totalKiB: number } | undefined
  /** What such a router shows nobody, so that it cannot be judged. */
  unseen: readonly string[]
}

/** What runs on a router. */
export interface Firmware {
  name: string
  /** As it calls itself, e.g. `23.05.5`, `RUTX_R_00.07.20`. */
  version: string
}

/** A Wi-Fi that a router offers. */
export interface AccessPointState {
  section: string
  radio: string
  ssid: string
  /** Neither it nor its radio is switched off. */
  isOn: boolean
  /** In OpenWrt's words: `psk2`, `sae-mixed`, `none`, … */
  encryption: string
  /** Protected management frames (IEEE 802.11w), as they come out of the settings. */
  pmf: 'off' | 'optional' | 'required'
  wps: boolean
  /** SHA-256 of the salt and the passphrase, hexadecimal; undefined: there is none, or it cannot be told. */
  keyDigest: string | undefined
  /** Whether it is on air under its name; undefined where the driver cannot tell. */
  isOnAir: boolean | undefined
  stations: number
}

/** A passphrase beside that of an access point. */
export interface ExtraPassphrase {
  section: string
  /** The one device that may use it; undefined: every one. */
  mac: string | undefined
  keyDigest: string
}

/**
 * How the state of one kind of router is read: in few commands, changing nothing.
 * @param salt letters and digits, new for every run: digests of two runs have nothing in common
 * @throws what `SshSession.run` throws; FailureError when the answer is not understood
 */
export type Inspector = (session: SshSession, salt: string) => Promise<RouterState>
