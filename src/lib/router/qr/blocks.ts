/** The dark and light squares of a QR code, row by row. */
export interface Squares {
  size: number
  /** Whether the square is dark. */
  isDark: (row: number, column: number) => boolean
}

/** A reader needs so many light squares around (ISO/IEC 18004). */
const QUIET = 4

/**
 * A QR code in characters, two rows a line. Light squares are drawn, dark ones are left out, so it is to
 * be shown light on dark.
 */
export function drawBlocks({ size, isDark }: Squares): string[] {
  const isLight = (row: number, column: number): boolean => {
    const isInside = [row, column].every((at) => at >= 0 && at < size)
    return !isInside || !isDark(row, column)
  }
  const lines: string[] = []
  for (let row = -QUIET; row < size + QUIET; row += 2) {
    let line = ''
    for (let column = -QUIET; column < size + QUIET; column++) {
      const [upper, lower] = [isLight(row, column), isLight(row + 1, column)]
      line += upper ? (lower ? '█' : '▀') : lower ? '▄' : ' '
    }
    lines.push(line)
  }
  return lines
}
