import type { SingleBar } from 'cli-progress'
import type { Log } from '../workspace.js'

type State = Parameters<Log['progress']>[0]

/** Shorter work needs no bar. */
const BAR_AFTER_MS = 1000
/** How often a log file is told of long work. */
const LINE_EVERY_MS = 60_000

/**
 * Progress of long work on stderr: a bar with rate and remaining time on a terminal, one line a
 * minute elsewhere.
 */
export class Progress {
  #library: typeof import('cli-progress') | undefined
  #bar: SingleBar | undefined
  #startedAt = 0
  #lineAt = 0
  #newest: State | undefined

  /** Takes the newest state; draws it when it is time to. */
  show(state: State): void {
    const now = performance.now()
    if (this.#newest === undefined || isOtherWork(this.#newest, state)) {
      this.stop()
      this.#startedAt = now
      this.#lineAt = now
    }
    this.#newest = state
    if (process.stderr.isTTY !== true) {
      if (now - this.#lineAt >= LINE_EVERY_MS) this.#writeLine(now)
    } else if (now - this.#startedAt >= BAR_AFTER_MS) this.#draw(state, now)
  }

  /** Writes something else without spoiling the bar; the next state draws it anew. */
  interrupt(write: () => void): void {
    this.#removeBar()
    write()
  }

  /** Takes the bar away: the work has ended. */
  stop(): void {
    this.#removeBar()
    this.#newest = undefined
  }

  #draw(state: State, now: number): void {
    if (this.#library === undefined) return void this.#load()
    if (this.#bar === undefined) {
      this.#bar = new this.#library.SingleBar({
        stream: process.stderr,
        clearOnComplete: true,
        barsize: 24,
        format: barFormat(state),
        formatValue: (value, _options, type) =>
          type === 'percentage' ? String(value) : value.toLocaleString('en'),
      })
      this.#bar.start(state.total ?? 0, state.done, this.#payload(state, now))
      process.once('exit', this.#removeBar)
    }
    // A total that is reckoned from what was read so far becomes truer as the work goes on.
    if (state.total !== undefined) this.#bar.setTotal(state.total)
    this.#bar.update(state.done, this.#payload(state, now))
  }

  async #load(): Promise<void> {
    const { default: library } = await import('cli-progress')
    this.#library = library
  }

  #writeLine(now: number): void {
    if (this.#newest === undefined) return
    process.stderr.write(`${progressLine(this.#newest, this.#payload(this.#newest, now))}\n`)
    this.#lineAt = now
  }

  #payload(state: State, now: number): { unit: string; rate: string; left: string } {
    const perSecond = (state.done / Math.max(1, now - this.#startedAt)) * 1000
    const seconds = state.total === undefined ? 0 : (state.total - state.done) / perSecond
    return {
      unit: state.unit,
      rate: Math.round(perSecond).toLocaleString('en'),
      left: Number.isFinite(seconds) ? inWords(Math.ceil(seconds)) : '?',
    }
  }

  /** An own property, so that the exit of the process can give the terminal back its line wrapping. */
  readonly #removeBar = (): void => {
    this.#bar?.stop()
    this.#bar = undefined
    process.off('exit', this.#removeBar)
  }
}

/** What a bar says, as cli-progress reads it. A share of the whole has no rate that tells anything. */
export function barFormat({ total, unit }: Pick<State, 'total' | 'unit'>): string {
  if (total === undefined) return '{value} {unit} · {rate}/s'
  const counts = unit === '%' ? '' : '{value}/{total} {unit} · {rate}/s · '
  return `{bar} {percentage}% · ${counts}{left} left`
}

/** The same as a line of a log. */
export function progressLine(
  { done, total, unit }: State,
  { rate, left }: { rate: string; left: string },
): string {
  if (total === undefined) return `${done} ${unit}, ${rate}/s`
  const counts = unit === '%' ? `${Math.floor(done)}%` : `${done} of ${total} ${unit}, ${rate}/s`
  return `${counts}, ${left} left`
}

function isOtherWork(former: State, state: State): boolean {
  const isCounted = (former.total === undefined) === (state.total === undefined)
  return former.unit !== state.unit || !isCounted || state.done < former.done
}

function inWords(seconds: number): string {
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`
}
