import { once } from 'node:events'
import { clearScreenDown, cursorTo } from 'node:readline'
import { harmless } from '../harmless.js'
import { colourPalette, plainPalette, wantsColour, type Palette } from './colour.js'
import { alignCells, fittingColumns, GAP, joinCells, pad, widthOf, wrap } from './layout.js'
import { relativeTime } from './relative-time.js'

/** How something stands. */
export type Mark = 'ok' | 'warning' | 'failure'

/** One column of a table: its heading, the cell of a row for people, and the full value for pipes. */
export interface Column<Row> {
  title: string
  /** Text for a person; may be short or relative. */
  text: (row: Row) => string
  /** Full value for a pipe; `text` where absent. */
  value?: (row: Row) => string
  align?: 'left' | 'right'
  /** Left out on a terminal that is too narrow for all columns. */
  isMinor?: boolean
  /** Colours the cell on a terminal; the text must say the same. */
  mark?: (row: Row) => Mark | undefined
}

const SYMBOLS: Record<Mark, string> = { ok: '✓', warning: '!', failure: '✗' }
/** The longest word of a mark. */
const MARK_WIDTH = 'failure'.length
const TONES = { ok: 'good', warning: 'doubtful', failure: 'bad' } as const
/** Lines longer than this are hard to read, however wide the terminal is. */
const READABLE_WIDTH = 100
const DEFAULT_WIDTH = 80
const MEBIBYTE = 1024 * 1024
/** Text is given so many columns, however narrow the terminal is. */
const MIN_TEXT = 20

/**
 * stdout for people: aligned and coloured on a terminal, tab-separated with full values in a pipe.
 * Control characters in whatever is drawn become visible escapes, so that stored data can neither
 * break a row nor command the terminal.
 */
export class Screen {
  readonly isTerminal = process.stdout.isTTY === true
  #palette: Palette = plainPalette

  /** Columns of the terminal; a common width where stdout is none. */
  get width(): number {
    return process.stdout.columns || DEFAULT_WIDTH
  }

  /** Whether what is drawn may hold colour. */
  get isColoured(): boolean {
    return wantsColour(this.isTerminal, process.env)
  }

  /** Loads what drawing needs; called once before anything is drawn. */
  async prepare(): Promise<void> {
    if (this.isColoured) this.#palette = await colourPalette()
  }

  /** Empties the terminal, to draw anew; its history stays. */
  clear(): void {
    if (!this.isTerminal) return
    cursorTo(process.stdout, 0, 0)
    clearScreenDown(process.stdout)
  }

  /** One line of text. */
  line(text = ''): void {
    this.#write(harmless(text))
  }

  /** A heading above a part of the result; nothing in a pipe. */
  heading(text: string): void {
    if (this.isTerminal) this.#write(this.#palette.strong(harmless(text)))
  }

  /** Text of any length: broken into readable lines on a terminal, as it is in a pipe. */
  paragraph(text: string): void {
    const lines = this.isTerminal
      ? wrap(text, Math.min(this.width, READABLE_WIDTH))
      : text.split('\n')
    for (const line of lines) this.line(line)
  }

  /** Text that this program composed itself, with its line breaks and colours. Never stored data. */
  preformatted(text: string): void {
    this.#write(text)
  }

  /** Lines that must be light on dark, whatever the terminal's own colours; plain where no colour may be. */
  lightOnDark(lines: readonly string[]): void {
    for (const line of lines) this.#write(this.#palette.lightOnDark(harmless(line)))
  }

  /** Text of any length, piece by piece, no faster than whoever reads stdout takes it. Harmless already. */
  async stream(text: string): Promise<void> {
    if (!process.stdout.write(text)) await once(process.stdout, 'drain')
  }

  /**
   * Says how something stands, as symbol, word and colour; `ok<TAB>text` in a pipe.
   * @param label what it is
   * @param among all labels of the same list: the texts stand under each other on a terminal
   */
  mark(mark: Mark, text: string, label?: string, among: readonly string[] = []): void {
    if (!this.isTerminal)
      return this.#tabbed(label === undefined ? [mark, text] : [mark, label, text])
    const word = `${SYMBOLS[mark]} ${mark.padEnd(MARK_WIDTH)}`
    const width = Math.max(0, ...among.map(widthOf))
    const about = label === undefined ? '' : GAP + pad(harmless(label), width)
    this.#hang(this.#palette[TONES[mark]](word) + about, widthOf(word + about), text)
  }

  /** More about the mark above, under its text; `detail<TAB>text` in a pipe. */
  detail(text: string): void {
    if (!this.isTerminal) return this.#tabbed(['detail', text])
    const width = '✓ '.length + MARK_WIDTH
    this.#hang(' '.repeat(width), width, text)
  }

  /** What to do next, with the reason above it; `next<TAB>reason: command` in a pipe. */
  step(command: string, reason?: string): void {
    if (!this.isTerminal)
      return this.#tabbed(['next', reason === undefined ? command : `${reason}: ${command}`])
    if (reason !== undefined) this.line(reason)
    // Never broken: it is there to be copied.
    this.line(`  → ${command}`)
  }

  /** Rows under headings on a terminal (`empty` when there are none); tab-separated without headings in a pipe. */
  table<Row>(rows: readonly Row[], columns: readonly Column<Row>[], empty = 'nothing found'): void {
    if (!this.isTerminal) {
      for (const row of rows)
        this.#tabbed(columns.map((column) => (column.value ?? column.text)(row)))
    } else if (rows.length === 0) this.#write(this.#palette.faint(harmless(empty)))
    else this.#drawTable(rows, columns)
  }

  /** Labelled facts about one object, labels aligned; `label<TAB>value` in a pipe. */
  facts(facts: readonly (readonly [label: string, value: string])[]): void {
    const width = Math.max(0, ...facts.map(([label]) => widthOf(label)))
    for (const [label, value] of facts) {
      if (!this.isTerminal) this.#tabbed([label, value])
      else this.#hang(this.#palette.faint(pad(harmless(label), width)), width, value)
    }
  }

  /** A moment: relative on a terminal (`3 minutes ago`), RFC 3339 UTC in a pipe; `-` when absent. */
  time(at: Date | string | null | undefined): string {
    if (!at) return '-'
    const moment = new Date(at)
    return this.isTerminal ? relativeTime(moment, new Date()) : moment.toISOString()
  }

  /** A size in bytes: in MiB on a terminal, exact in a pipe. */
  size(bytes: number): string {
    return this.isTerminal ? `${(bytes / MEBIBYTE).toFixed(1)} MiB` : `${bytes} bytes`
  }

  #drawTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): void {
    const texts = [
      columns.map((column) => column.title),
      ...rows.map((row) => columns.map((column) => harmless(column.text(row)))),
    ]
    const isMinor = columns.map((column) => column.isMinor ?? false)
    const kept = fittingColumns(texts, isMinor, this.width)
    const [titles = [], ...cells] = alignCells(
      texts.map((row) => kept.map((column) => row[column] ?? '')),
      kept.map((column) => columns[column]?.align ?? 'left'),
      this.width,
    )
    this.#write(this.#palette.strong(joinCells(titles)))
    for (const [index, row] of rows.entries()) {
      const tinted = (cells[index] ?? []).map((cell, place) => {
        const mark = columns[kept[place] ?? 0]?.mark?.(row)
        return mark ? this.#palette[TONES[mark]](cell) : cell
      })
      this.#write(joinCells(tinted))
    }
  }

  /** Text after a coloured lead of `width` columns; what does not fit goes on under its beginning. */
  #hang(lead: string, width: number, text: string): void {
    const room = Math.max(MIN_TEXT, Math.min(this.width, READABLE_WIDTH) - width - GAP.length)
    const [first = '', ...others] = wrap(harmless(text), room)
    this.#write(lead + GAP + first)
    for (const line of others) this.#write(' '.repeat(width) + GAP + line)
  }

  #tabbed(cells: readonly string[]): void {
    this.#write(cells.map(harmless).join('\t'))
  }

  #write(line: string): void {
    process.stdout.write(`${line}\n`)
  }
}
