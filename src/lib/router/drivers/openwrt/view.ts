import type { AccessPoint, OpenState, RouterView } from '../changer.js'
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
    accessPoints: of('ap').map(readAccessPoint),
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

function readAccessPoint(fields: readonly string[]): AccessPoint {
  const [section = '', , on, encryption = '', , , digest, ...ssid] = fields
  return {
    section,
    isOn: on === 'on',
    encryption,
    digest: digest === '-' ? undefined : requireDigest(digest),
    ssid: ssid.join(' '),
  }
}
