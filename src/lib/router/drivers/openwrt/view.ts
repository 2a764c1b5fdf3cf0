import { FailureError } from '../../../errors.js'
import type { AccessPoint, OpenState, RouterView } from '../changer.js'

const OPEN_STATES: readonly string[] = [
  'begun',
  'armed',
  'undoing',
  'confirmed',
] satisfies OpenState[]

/**
 * Reads what `change.sh look` prints: a line a fact, what may hold blanks last.
 * @throws FailureError for anything else: half an answer is none
 */
export function readView(text: string): RouterView {
  const lines = text.split('\n').filter((line) => line !== '')
  if (lines.pop() !== 'end') throw unreadable()
  const facts = lines.map((line) => line.split(' '))
  const of = (kind: string) => facts.filter(([first]) => first === kind).map(([, ...rest]) => rest)
  const [change] = of('change')
  const [last] = of('last')
  const [[staged] = []] = of('staged')
  if (change === undefined || !/^\d+$/.test(staged?.trim() ?? '')) throw unreadable()
  return {
    open: readOpen(change),
    last: readLast(last ?? []),
    staged: Number(staged),
    accessPoints: of('ap').map(readAccessPoint),
    extras: of('station').map(([section = '', digest = '']) => ({ section, digest })),
    accounts: of('account').map(([name = '', digest = '']) => ({ name, digest })),
    onAir: of('air').map(([status, stations, ...ssid]) => ({
      isUp: status === 'ENABLED',
      stations: Number(stations),
      ssid: ssid.join(' '),
    })),
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
  const [section = '', on, encryption = '', digest = '', ...ssid] = fields
  if (!/^[0-9a-f]{64}$/.test(digest)) throw unreadable()
  return { section, isOn: on === 'on', encryption, digest, ssid: ssid.join(' ') }
}

function unreadable(): FailureError {
  return new FailureError(
    'router-unreadable',
    'the router answered something that is not understood',
  )
}
