import { crc32 } from 'node:zlib'
import type { Random } from './clock.js'

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const BASE = ALPHABET.length
/** The largest multiple of 62 that a byte can hold; bytes from here on would favour the first characters. */
const UNBIASED_BELOW = 256 - (256 % BASE)

/** `length` independent characters, each of the 62 equally likely (5.95 bits a character). */
export function randomBase62(random: Random, length: number): string {
  let text = ''
  while (text.length < length) {
    for (const byte of random.bytes(length - text.length)) {
      if (byte < UNBIASED_BELOW) text += ALPHABET.charAt(byte % BASE)
    }
  }
  return text
}

/** A non-negative integer in base 62, left-padded with `0` to `width` characters. */
export function encodeBase62(value: number, width: number): string {
  let text = ''
  for (let rest = value; rest > 0; rest = Math.floor(rest / BASE)) {
    text = ALPHABET.charAt(rest % BASE) + text
  }
  return text.padStart(width, '0')
}

/** Characters of a checksum: 62^6 is more than a CRC-32 can be. */
export const CHECKSUM_LENGTH = 6

/**
 * CRC-32 of a text in base 62, six characters. It tells a mistyped or invented secret from a real one
 * without asking anybody; it is no proof of anything.
 */
export function checksum62(text: string): string {
  return encodeBase62(crc32(text), CHECKSUM_LENGTH)
}
