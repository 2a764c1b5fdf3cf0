import { Secret } from '../../secret.js'

/** What zxing, and with it most phones, escape by a backslash; others percent-encode it. */
const ESCAPED = /[\\;,":]/g

/**
 * The text of a QR code by which a phone joins a Wi-Fi, in the dialect of zxing that phones read.
 * @param passphrase 8 to 63 characters; a code cannot say a raw key of 64 digits
 */
export function wifiUri(ssid: string, passphrase: Secret): Secret {
  return new Secret(`WIFI:T:WPA;S:${escaped(ssid)};P:${escaped(passphrase.reveal())};;`)
}

/** Whether every reader takes name and passphrase for the same: the dialects differ in how they escape. */
export function isReadByAll(ssid: string, passphrase: Secret): boolean {
  return [ssid, passphrase.reveal()].every(
    (text) => !/[\\;,":%]/.test(text) && text === text.trim(),
  )
}

function escaped(text: string): string {
  return text.replace(ESCAPED, '\\$&')
}
