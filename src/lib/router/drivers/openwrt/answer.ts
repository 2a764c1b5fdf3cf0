import { FailureError } from '../../../errors.js'

/** What a script for OpenWrt printed: a fact a line, its kind first. */
export interface Answer {
  /** The fields of each line of a kind; a name with blanks is several, always the last ones. */
  of: (kind: string) => readonly string[][]
  /** The text behind the last line of a kind; empty where there is none. */
  one: (kind: string) => string
}

/** Something on air. */
export interface OnAir {
  interface: string
  isUp: boolean
  stations: number
  ssid: string
}

const DIGEST = /^[0-9a-f]{64}$/

/** @throws FailureError when the last line is missing: half an answer is none */
export function readAnswer(text: string): Answer {
  const lines = text.split('\n').filter((line) => line !== '')
  if (lines.pop() !== 'end') throw unreadable('the answer has no end')
  const facts = new Map<string, string[][]>()
  for (const line of lines) {
    const [kind = '', ...fields] = line.split(' ')
    const known = facts.get(kind)
    if (known) known.push(fields)
    else facts.set(kind, [fields])
  }
  const of = (kind: string) => facts.get(kind) ?? []
  return { of, one: (kind) => of(kind).at(-1)?.join(' ').trim() ?? '' }
}

/** The lines `air`. @throws FailureError for a number that is none */
export function readAir({ of }: Answer): OnAir[] {
  return of('air').map(([name = '', status, stations, ...ssid]) => ({
    interface: name,
    isUp: status === 'ENABLED',
    stations: requireNumber(stations),
    ssid: unescaped(ssid.join(' ')),
  }))
}

/** @throws FailureError */
export function requireDigest(text: string | undefined): string {
  if (text !== undefined && DIGEST.test(text)) return text
  throw unreadable('it cannot digest a passphrase')
}

/** @throws FailureError */
export function requireNumber(text: string | undefined): number {
  if (text !== undefined && /^\d+$/.test(text)) return Number(text)
  throw unreadable('a number is missing')
}

/** The error for an answer that is none. */
export function unreadable(reason: string): FailureError {
  return new FailureError('router-unreadable', `the router's answer is not understood: ${reason}`)
}

function unescaped(text: string): string {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'string') return value
  } catch {
    // What cannot be read is not the name that is looked for.
  }
  return ''
}
