import type { Random } from '../../clock.js'
import { Secret } from '../../secret.js'

/**
 * No 0 O 1 l I: a passphrase is read out by telephone. And nothing that a shell, uci, hostapd, RouterOS, CSV or one of
 * the two dialects of Wi-Fi QR codes would want escaped.
 */
const LETTERS = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789'
/** The largest multiple of 57 that a byte can hold; bytes from here on would favour the first letters. */
const UNBIASED_BELOW = 256 - (256 % LETTERS.length)
/** 24 letters of 57 are 140 bits. */
const GROUPS = 4
const GROUP_LENGTH = 6
/** RutOS takes only passwords with each of these; the hyphens are the fourth kind that it wants. */
const WANTED = [/[a-z]/, /[A-Z]/, /[0-9]/]
const SSID_PREFIX = 'CLV-'
const SSID_LENGTH = 6

/** A new password or passphrase: four groups of six letters, e.g. `hCk7mP-4xQz9d-bTn3Ye-Wq8rGs`. */
export function generateSecret(random: Random): Secret {
  for (;;) {
    const text = Array.from({ length: GROUPS }, () => letters(random, GROUP_LENGTH)).join('-')
    if (WANTED.every((kind) => kind.test(text))) return new Secret(text)
  }
}

/** A new name for a Wi-Fi, which says nothing of plant, customer or device. */
export function generateSsid(random: Random): string {
  return SSID_PREFIX + letters(random, SSID_LENGTH)
}

function letters(random: Random, length: number): string {
  let text = ''
  while (text.length < length)
    for (const byte of random.bytes(length - text.length))
      if (byte < UNBIASED_BELOW) text += LETTERS.charAt(byte % LETTERS.length)
  return text
}
