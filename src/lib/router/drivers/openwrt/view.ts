import type { AccessPoint, OpenState, Overlap, RouterView } from '../changer.js'
import { readAir, readAnswer, requireDigest, requireNumber, unreadable } from './answer.js'

const OPEN_STATES: readonly string[] = [
  'begun',
  'armed',
  'undoing',
  'confirmed',
] satisfies OpenState[]

/**
 * Reads what `change.sh look` prints.
 * @throws FailureError for anything else: half an answer is none
 */
export function readView(text: string): RouterView {
  const answer = readAnswer(text)
  const { of, one } = answer
  const [change] = of('change')
  if (change === undefined) throw unreadable('it does not say whether a change is open')
  return {
    open: readOpen(change),
    last: readLast(of('last')[0] ?? []),
    staged: requireNumber(one('staged')),
    accessPoints: of('ap').map((fields) => readAccessPoint(fields, of('beside')[0] ?? [])),
    extras: of('extra').map(([section = '', , digest]) => ({
      section,
      digest: requireDigest(digest),
    })),
    accounts: of('account').map(([name = '', digest]) => ({ name, digest: requireDigest(digest) })),
    onAir: readAir(answer),
  }
}

function readOpen([state = '', id = '']: readonly string[]): RouterView['open'] {
  return isOpenState(state) ? { state, id } : undefined
}

function isOpenState(text: string): text is OpenState {
  return OPEN_STATES.includes(text)
}

function readLast([outcome, id = '']: readonly string[]): RouterView['last'] {
  return outcome === 'confirmed' || outcome === 'undone' ? { outcome, id } : undefined
}

/** @param beside with which encryptions a further passphrase works beside that of an access point */
function readAccessPoint(fields: readonly string[], beside: readonly string[]): AccessPoint {
  const [section = '', , on, encryption = '', , , digest, ...ssid] = fields
  return {
    section,
    isOn: on === 'on',
    encryption,
    digest: digest === '-' ? undefined : requireDigest(digest),
    ssid: ssid.join(' '),
    overlap: overlapOf(encryption, beside),
  }
}

/** Mixed ones, such as `sae-mixed`, need both. */
function overlapOf(encryption: string, beside: readonly string[]): Overlap {
  const isMixed = /^(?:sae|psk3)-mixed/.test(encryption)
  const isSae = /^(?:sae|psk3)/.test(encryption)
  const needed = [...(isSae ? ['sae'] : []), ...(isMixed || !isSae ? ['psk'] : [])]
  return needed.every((each) => beside.includes(each)) ? 'passphrase' : 'wifi'
}
