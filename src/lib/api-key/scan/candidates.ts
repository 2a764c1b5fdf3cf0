import { API_KEY_LENGTH, apiKeyDigest, parseApiKey } from '../format.js'
import { isSerial } from '../../device/types.js'
import { DEVICE_SECRET_LENGTH, deviceSecretDigest, parseDeviceSecret } from '../../device/secret.js'
import type { Candidate } from './types.js'

// Native search stops at every byte equal to the needle's first, so the needle begins with the
// rarest letter of the prefix: `v_` is found three times as fast as `clv_`.
const NEEDLES = [
  {
    needle: Buffer.from('v_'),
    before: Buffer.from('cl'),
    length: API_KEY_LENGTH,
    read: readApiKey,
  },
  {
    needle: Buffer.from('vd_'),
    before: Buffer.from('cl'),
    length: DEVICE_SECRET_LENGTH,
    read: readDeviceSecret,
  },
] as const

/** The head of a file of secrets as `device register` and `device import` write it. */
const SECRETS_FILE = /^serial,secret\r?\n/
/** A row of it with a secret from the time before secrets had a prefix. */
const BARE_ROW = /(?<=\n)([0-9A-Za-z][0-9A-Za-z._-]{2,39}),([\w-]{43})(?=\r?\n|\r?$)/g

/** No candidate is longer, with what must stand before and behind it, in bytes. */
export const LONGEST = 128

/** Whether a content begins as a file of secrets does. */
export function isSecretsFile(bytes: Buffer): boolean {
  return SECRETS_FILE.test(bytes.toString('latin1', 0, LONGEST))
}

/**
 * Everything in `bytes` that has the form of one of our secrets and begins at `from` or later and
 * before `to`; what stands outside these is looked at as its neighbourhood. In the order of place.
 * @param isBare also the rows of a file of secrets without prefix, see {@link isSecretsFile}
 */
export function findCandidates(
  bytes: Buffer,
  { from, to, isBare }: { from: number; to: number; isBare: boolean },
): Candidate[] {
  const found: Candidate[] = []
  for (const { needle, before, length, read } of NEEDLES) {
    const last = to + before.length
    let at = bytes.indexOf(needle, from + before.length)
    for (; at !== -1 && at < last; at = bytes.indexOf(needle, at + 1)) {
      if (bytes[at - 1] !== before[1] || bytes[at - 2] !== before[0]) continue
      const offset = at - before.length
      const end = offset + length
      if (end > bytes.length) break
      const candidate = read(bytes.toString('latin1', offset, end), offset)
      if (candidate === undefined) continue
      // A right checksum is no accident; without one it must at least stand alone.
      if (candidate.checksumMatches === true || isAlone(bytes, offset, end)) found.push(candidate)
    }
  }
  if (isBare) found.push(...bareRows(bytes, from, to))
  return found.sort((one, other) => one.offset - other.offset)
}

function readApiKey(text: string, offset: number): Candidate | undefined {
  const parsed = parseApiKey(text)
  if (parsed === undefined) return undefined
  const { keyId, checksumMatches } = parsed
  return {
    kind: 'api-key',
    offset,
    keyId,
    serial: null,
    checksumMatches,
    digest: apiKeyDigest(text),
  }
}

function readDeviceSecret(text: string, offset: number): Candidate | undefined {
  const parsed = parseDeviceSecret(text)
  if (parsed === undefined) return undefined
  return {
    kind: 'device-secret',
    offset,
    keyId: null,
    serial: null,
    checksumMatches: parsed.checksumMatches,
    digest: deviceSecretDigest(text),
  }
}

function* bareRows(bytes: Buffer, from: number, to: number): Generator<Candidate> {
  // The line break before a row is its neighbourhood.
  const start = Math.max(0, from - 1)
  const text = bytes.toString('latin1', start, to + LONGEST)
  for (const { index, 1: serial = '', 2: secret = '' } of text.matchAll(BARE_ROW)) {
    const offset = start + index
    if (offset >= to || !isSerial(serial)) continue
    const digest = deviceSecretDigest(secret)
    yield {
      kind: 'device-secret',
      offset: offset + serial.length + 1,
      keyId: null,
      serial,
      checksumMatches: null,
      digest,
    }
  }
}

function isAlone(bytes: Buffer, start: number, end: number): boolean {
  return !isWord(bytes[start - 1]) && !isWord(bytes[end])
}

/** Letters, digits and the underscore of ASCII. */
function isWord(byte: number | undefined): boolean {
  if (byte === undefined) return false
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    (byte >= 0x41 && byte <= 0x5a) ||
    (byte >= 0x61 && byte <= 0x7a) ||
    byte === 0x5f
  )
}

const MASKED = /(clv_(?:live|test)_[0-9A-Za-z]{8})_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}/g
const MASKED_DEVICE = /(clvd)_[\w-]{43}_[0-9A-Za-z]{6}/g

/** A path or a message of another program with our secrets in it masked: names of files leak as well. */
export function masked(text: string): string {
  return text.replace(MASKED, '$1_[secret]').replace(MASKED_DEVICE, '$1_[secret]')
}
