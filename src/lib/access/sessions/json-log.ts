import { LogTimes } from './log-time.js'
import { sessionKey, startOf } from './session-key.js'
import { decode, isOfInterest, MAX_RECORD, Needle } from './text.js'
import type { LogReader, LogSink, ReaderState } from './types.js'

/**
 * Reads jsonlog: one record a line, whatever clients choose, because line breaks and quotes are escaped in it. For the
 * same reason a key with its quotes never stands inside a value. Only records of interest are parsed.
 */
export class JsonLog implements LogReader {
  readonly #sink: LogSink
  readonly #times: LogTimes
  readonly #session = new Needle(',"session_id":"')
  readonly #severity = new Needle(',"error_severity":"')
  readonly #message = new Needle(',"message":"')
  #isSkipping: boolean

  /** @param from where another reader stopped */
  constructor(sink: LogSink, from?: ReaderState & { form: 'json' }) {
    this.#sink = sink
    this.#times = new LogTimes(from?.times)
    this.#isSkipping = from?.isSkipping ?? false
  }

  state(): ReaderState {
    return { form: 'json', times: this.#times.learned(), isSkipping: this.#isSkipping }
  }

  read(text: string): number {
    for (const needle of [this.#session, this.#severity, this.#message]) needle.reset()
    let start = 0
    if (this.#isSkipping) {
      start = text.indexOf('\n') + 1
      if (start === 0) return text.length
      this.#isSkipping = false
    }
    for (;;) {
      const end = text.indexOf('\n', start)
      if (end === -1) break
      if (end > start) this.#line(text, start, end)
      start = end + 1
    }
    if (text.length - start <= MAX_RECORD) return start
    this.#line(text, start, text.length)
    this.#isSkipping = true
    return text.length
  }

  finish(): void {
    // What has no end yet is still being written.
  }

  #line(text: string, start: number, end: number): void {
    const at = this.#session.after(text, start)
    const idEnd = at < end ? text.indexOf('"', at) : -1
    const key = idEnd === -1 || idEnd >= end ? Number.NaN : sessionKey(text, at, idEnd)
    if (Number.isNaN(key)) {
      this.#sink.doubt(undefined)
      return
    }
    this.#sink.count(key, lineNumber(text, idEnd))
    const severity = this.#severity.after(text, idEnd)
    const message = this.#message.after(text, idEnd)
    const isFatal = severity < end && text.startsWith('FATAL"', severity)
    if (isFatal || (message < end && isOfInterest(text, message)))
      this.#take(text.slice(start, end), key)
  }

  #take(line: string, key: number): void {
    const record = parse(decode(line))
    if (record === undefined) {
      this.#sink.doubt(key)
      return
    }
    const text = (name: string) => {
      const value = record[name]
      return typeof value === 'string' ? value : undefined
    }
    const start = startOf(key)
    if (start !== undefined) this.#times.learn(text('session_start') ?? '', start)
    this.#sink.take({
      key,
      at: this.#times.read(text('timestamp') ?? ''),
      severity: text('error_severity') ?? '',
      message: text('message') ?? '',
      code: text('state_code'),
      detail: text('detail'),
      user: text('user'),
      database: text('dbname'),
      application: text('application_name'),
      display: text('ps'),
      isInTransaction: text('vxid') !== undefined,
    })
  }
}

function lineNumber(text: string, idEnd: number): number {
  const word = '","line_num":'
  if (!text.startsWith(word, idEnd)) return 0
  let number = 0
  for (let at = idEnd + word.length; ; at += 1) {
    const digit = text.charCodeAt(at) - 0x30
    if (!(digit >= 0 && digit <= 9)) return number
    number = number * 10 + digit
  }
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}
