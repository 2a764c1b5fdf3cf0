import { LogTimes } from './log-time.js'
import { CHOSEN_BYTES, type Prefix } from './prefix.js'
import { keyOf, sessionKey, startOf } from './session-key.js'
import { decode, isOfInterest, MAX_RECORD } from './text.js'
import type { LogReader, LogSink, PendingLine, ReaderState } from './types.js'

const TAB = 0x09
/** User and database, each with a line break in it: what comes sooner after one may be part of a name. */
const FORGEABLE = 2 * (CHOSEN_BYTES + 1)

/**
 * Reads the log of stderr. A record goes on in lines that begin with a tab. The names in its prefix are written as
 * clients gave them, line breaks included: a line that breaks off where a name stands makes what follows it uncertain,
 * as far as a name can reach; and a line that can be read in two ways is not read.
 */
export class StderrLog implements LogReader {
  readonly #sink: LogSink
  readonly #prefix: Prefix
  readonly #times: LogTimes
  #pending: PendingLine | undefined
  #isSkipping: boolean
  /** How many characters from here on may be part of a name. */
  #doubtful: number

  /** @param from where another reader stopped */
  constructor(sink: LogSink, prefix: Prefix, from?: ReaderState & { form: 'stderr' }) {
    this.#sink = sink
    this.#prefix = prefix
    this.#times = new LogTimes(from?.times)
    this.#pending = from?.pending ?? undefined
    this.#isSkipping = from?.isSkipping ?? false
    this.#doubtful = from?.doubtful ?? 0
  }

  state(): ReaderState {
    const [isSkipping, doubtful, pending] = [this.#isSkipping, this.#doubtful, this.#pending]
    return {
      ...{ form: 'stderr', times: this.#times.learned(), isSkipping, doubtful },
      pending: pending === undefined ? null : { ...pending },
    }
  }

  read(text: string): number {
    let start = 0
    if (this.#isSkipping) {
      start = text.indexOf('\n') + 1
      if (start === 0) return text.length
      this.#isSkipping = false
    }
    for (;;) {
      const end = text.indexOf('\n', start)
      if (end === -1) break
      this.#line(text.slice(start, end))
      start = end + 1
    }
    if (text.length - start <= MAX_RECORD) return start
    this.#line(text.slice(start, start + MAX_RECORD))
    this.#isSkipping = true
    return text.length
  }

  finish(): void {
    this.#flush()
  }

  #line(line: string): void {
    const isDoubtful = this.#doubtful > 0
    this.#doubtful = Math.max(0, this.#doubtful - line.length - 1)
    if (line.charCodeAt(0) === TAB) {
      const room = MAX_RECORD - (this.#pending?.message.length ?? MAX_RECORD)
      if (this.#pending && room > line.length) this.#pending.message += `\n${line.slice(1)}`
      return
    }
    const { shortest, longest, beforeNames } = this.#prefix
    const found = match(shortest, line)
    if (found === null) {
      const broken = beforeNames === undefined ? null : match(beforeNames, line)
      if (broken !== null) {
        this.#flush()
        this.#doubtful = FORGEABLE
        const { session, pid } = broken.groups ?? {}
        this.#sink.doubt((session ?? pid) ? this.#keyOf({ session, pid }) : undefined)
      }
      return
    }
    this.#flush()
    if (isDoubtful) {
      this.#sink.doubt(undefined)
      return
    }
    const message = line.slice(found[0].length)
    const other = beforeNames === undefined ? found : match(longest, line)
    const groups = found.groups ?? {}
    const key = this.#keyOf(groups)
    if (Number.isNaN(key)) return
    const isOneWay = other === null || other[0].length === found[0].length
    const another = other === null ? '' : line.slice(other[0].length)
    if (
      !isOneWay &&
      [message, another].some(
        (each) => isOfInterest(each, 0) || other?.groups?.['severity'] === 'FATAL',
      )
    ) {
      this.#sink.doubt(key)
      return
    }
    this.#sink.count(key, Number(groups['line'] ?? 0))
    const severity = groups['severity'] ?? ''
    if (severity === 'FATAL' || severity === 'DETAIL' || isOfInterest(message, 0))
      this.#pending = { key, groups, message }
  }

  #keyOf({ session, pid }: PendingLine['groups']): number {
    return session === undefined
      ? keyOf(undefined, Number(pid))
      : sessionKey(session, 0, session.length)
  }

  #flush(): void {
    const pending = this.#pending
    this.#pending = undefined
    if (pending === undefined) return
    const { key, groups, message } = pending
    const start = startOf(key)
    if (start !== undefined && groups['start'] !== undefined)
      this.#times.learn(groups['start'], start)
    // Of a connection that has just come in, the second is the one of its session id.
    else if (
      start !== undefined &&
      groups['time'] !== undefined &&
      message.startsWith('connection received')
    )
      this.#times.learn(wholeSecond(groups['time']), start)
    const name = (group: string) => {
      const value = groups[group]
      return value === undefined || value === '[unknown]' || value === ''
        ? undefined
        : decode(value)
    }
    this.#sink.take({
      key,
      at:
        groups['epoch'] === undefined
          ? this.#times.read(groups['time'] ?? '')
          : Number(groups['epoch']) * 1000,
      severity: groups['severity'] ?? '',
      message: decode(message),
      code: groups['code'],
      detail: undefined,
      user: name('user'),
      database: name('database'),
      application: name('application'),
      display: undefined,
      isInTransaction: undefined,
    })
  }
}

function match(expression: RegExp, line: string): RegExpExecArray | null {
  expression.lastIndex = 0
  return expression.exec(line)
}

function wholeSecond(time: string): string {
  return time.replace(/\.\d{3} /, ' ')
}
