import { harmless } from './text.js'

/** One column of a table: its heading, the cell of a row for people, and the full value for pipes. */
export interface Column<Row> {
  title: string
  /** Text for a person; may be short or relative. */
  text: (row: Row) => string
  /** Full value for a pipe; `text` where absent. */
  value?: (row: Row) => string
  align?: 'left' | 'right'
}

/** How something stands. */
export type Mark = 'ok' | 'warning' | 'failure'

/** stdout for people: aligned and coloured on a terminal, tab-separated with full values in a pipe. */
export class Screen {
  readonly isTerminal = process.stdout.isTTY === true

  /** Loads what drawing needs; called once before anything is drawn. */
  async prepare(): Promise<void> {}

  /** One line of text. */
  line(text = ''): void {
    process.stdout.write(`${harmless(text)}\n`)
  }

  /** One line that says how something stands: symbol and word on a terminal, `ok<TAB>text` in a pipe. */
  mark(mark: Mark, text: string): void {
    this.line(`${mark}\t${text}`)
  }

  /** Rows under headings on a terminal (`empty` when there are none); tab-separated without headings in a pipe. */
  table<Row>(
    rows: readonly Row[],
    columns: readonly Column<Row>[],
    _empty = 'nothing found',
  ): void {
    for (const row of rows) this.#row(columns.map((column) => (column.value ?? column.text)(row)))
  }

  /** Labelled facts about one object, labels aligned; `label<TAB>value` in a pipe. */
  facts(facts: readonly (readonly [label: string, value: string])[]): void {
    for (const fact of facts) this.#row(fact)
  }

  /** A moment: relative on a terminal (`3 minutes ago`), RFC 3339 UTC in a pipe; `-` when absent. */
  time(at: Date | string | null | undefined): string {
    return at ? new Date(at).toISOString() : '-'
  }

  #row(cells: readonly string[]): void {
    process.stdout.write(`${cells.map(harmless).join('\t')}\n`)
  }
}
