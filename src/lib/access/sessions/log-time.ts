import type { ReaderState } from './types.js'

const TIME = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{3}))?(?: (\S+))?$/
const OFFSET = /^([+-])(\d\d):?(\d\d)?$/
const MINUTE_MS = 60_000
const KNOWN: ReaderState['times'] = [
  ['UTC', 0],
  ['GMT', 0],
  ['Z', 0],
]

/** Times of a log, in UTC. Abbreviations such as CET say nothing certain, so what they mean is learned from the log. */
export class LogTimes {
  readonly #offsets: Map<string, number>

  /** @param learned what was learned before, see {@link LogTimes.learned} */
  constructor(learned: ReaderState['times'] = KNOWN) {
    this.#offsets = new Map(learned)
  }

  /** What zones mean, as far as it is known. */
  learned(): ReaderState['times'] {
    return [...this.#offsets]
  }

  /** Learns from a session's start, which a log has as text and, in the session id, as seconds since 1970. */
  learn(text: string, seconds: number): void {
    const found = parse(text)
    if (found === undefined || this.#offsets.has(found.zone)) return
    this.#offsets.set(found.zone, found.local - seconds * 1000)
  }

  /** Milliseconds since 1970; undefined where the text is no time, or its zone is not known. */
  read(text: string): number | undefined {
    const found = parse(text)
    if (found === undefined) return undefined
    const offset = this.#offsets.get(found.zone) ?? offsetIn(found.zone)
    return offset === undefined ? undefined : found.local - offset
  }
}

function parse(text: string): { local: number; zone: string } | undefined {
  const parts = TIME.exec(text)
  if (parts === null) return undefined
  const [year, month, day, hour, minute, second, ms] = parts
    .slice(1, 8)
    .map((part) => Number(part ?? 0))
  const local = Date.UTC(year ?? 0, (month ?? 0) - 1, day, hour, minute, second, ms)
  return { local, zone: parts[8] ?? '' }
}

function offsetIn(zone: string): number | undefined {
  const [, sign, hours, minutes] = OFFSET.exec(zone) ?? []
  if (hours === undefined) return undefined
  const size = (Number(hours) * 60 + Number(minutes ?? 0)) * MINUTE_MS
  return sign === '-' ? -size : size
}
