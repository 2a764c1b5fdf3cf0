import fastStringTruncatedWidth from 'fast-string-truncated-width'

/** Between columns. */
export const GAP = '  '
const ELLIPSIS = '…'
/** The last column keeps at least this much, however wide the others are. */
const MIN_LAST = 8
/** Less of it tells little, so other columns make room for so much. */
const GOOD_LAST = 16

/** How wide a terminal shows `text`, in columns. */
export function widthOf(text: string): number {
  return fastStringTruncatedWidth(text).width
}

/** Cuts `text` to `limit` columns; an ellipsis shows that it was cut. */
export function cut(text: string, limit: number): string {
  const { index, truncated } = fastStringTruncatedWidth(text, {
    limit,
    ellipsis: ELLIPSIS,
    ellipsisWidth: 1,
  })
  return truncated ? text.slice(0, index) + ELLIPSIS : text
}

/** Fills `text` with spaces to `width` columns. */
export function pad(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const space = ' '.repeat(Math.max(0, width - widthOf(text)))
  return align === 'right' ? space + text : text + space
}

/**
 * Which columns of a table a terminal shows: all where there is room, else without those that say
 * nothing (`-` in every row), then without minor ones, from left to right. The first one stays.
 * @param rows the headings, then the cells
 * @returns their indexes
 */
export function fittingColumns(
  [titles = [], ...cells]: readonly (readonly string[])[],
  isMinor: readonly boolean[],
  terminalWidth: number,
): number[] {
  const widths = titles.map((title, column) =>
    Math.max(widthOf(title), ...cells.map((row) => widthOf(row[column] ?? ''))),
  )
  const saysNothing = (column: number) => cells.every((row) => row[column] === '-')
  let kept = titles.map((_, column) => column)
  const others = kept.slice(1)
  for (const column of [...others.filter(saysNothing), ...others.filter((each) => isMinor[each])]) {
    const last = Math.min(widths[kept.at(-1) ?? 0] ?? 0, GOOD_LAST)
    const before = kept
      .slice(0, -1)
      .reduce((sum, each) => sum + (widths[each] ?? 0) + GAP.length, 0)
    if (before + last <= terminalWidth) break
    kept = kept.filter((each) => each !== column)
  }
  return kept
}

/**
 * Pads the cells of a table so that its columns stand under each other.
 * @param rows cells without control characters, every row as long as `aligns`
 * @param terminalWidth where the last column is cut, in columns
 * @returns the padded cells; joined by {@link joinCells} they make the lines
 */
export function alignCells(
  rows: readonly (readonly string[])[],
  aligns: readonly ('left' | 'right')[],
  terminalWidth: number,
): string[][] {
  const widths = aligns.map((_, column) =>
    Math.max(0, ...rows.map((row) => widthOf(row[column] ?? ''))),
  )
  const last = aligns.length - 1
  const before = widths.slice(0, last).reduce((sum, width) => sum + width + GAP.length, 0)
  const room = Math.max(MIN_LAST, terminalWidth - before)
  return rows.map((row) =>
    row.map((cell, column) => {
      if (column < last) return pad(cell, widths[column] ?? 0, aligns[column])
      const text = cut(cell, room)
      return aligns[column] === 'right'
        ? pad(text, Math.min(room, widths[column] ?? 0), 'right')
        : text
    }),
  )
}

/** One line of a table. */
export function joinCells(cells: readonly string[]): string {
  return cells.join(GAP).trimEnd()
}

/** Breaks paragraphs at spaces to lines of `width` columns; a word that is longer stays whole. */
export function wrap(text: string, width: number): string[] {
  return text.split('\n').flatMap((paragraph) => {
    const lines: string[] = []
    let line = ''
    for (const word of paragraph.split(' ')) {
      const longer = line === '' ? word : `${line} ${word}`
      if (line !== '' && widthOf(longer) > width) {
        lines.push(line)
        line = word
      } else line = longer
    }
    return [...lines, line]
  })
}
