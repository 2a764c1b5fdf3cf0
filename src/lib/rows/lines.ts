import { isAscii, isUtf8 } from 'node:buffer'
import type { Fault } from '../fault.js'

/** Longest line or record that is looked at, in bytes; what is longer is no row of ours. */
export const MAX_LINE_BYTES = 64 * 1024

/** One line of a text file, without its line break. */
export interface Line {
  /** Counted from 1, empty lines included. */
  number: number
  /** The whole line; of a line with a fault, its beginning. */
  text: string
  fault?: Fault
}

const LF = 0x0a
const CR = 0x0d
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])
/** How much of an unreadable line is worth showing, in bytes. */
const EXCERPT_BYTES = 200

/**
 * Cuts a stream of bytes into lines, a block of them for each chunk that came in. Holds one chunk
 * and one line at most, however long a line is. Empty lines are counted and left out; CR LF counts
 * as one line break; a byte order mark is dropped.
 */
export async function* readLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Line[]> {
  let number = 1
  // The unfinished line; one byte more than the limit is kept, which shows that it was longer.
  let rest: Buffer = Buffer.alloc(0)
  let isFirst = true
  const lines = (block: Buffer): Line[] => {
    const isMarked = isFirst && block.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK)
    isFirst = false
    const found = splitLines(isMarked ? block.subarray(BYTE_ORDER_MARK.length) : block, number)
    number = found.next
    return found.lines
  }
  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf(LF)
    if (end !== -1) {
      const head = chunk.subarray(0, end)
      yield lines(rest.length === 0 ? head : Buffer.concat([rest, head]))
      rest = Buffer.alloc(0)
    }
    const room = MAX_LINE_BYTES + 1 - rest.length
    if (room > 0) rest = Buffer.concat([rest, chunk.subarray(end + 1, end + 1 + room)])
  }
  if (rest.length > 0) yield lines(rest)
}

/** The lines of a block that ends where a line ends, and the number of the line after it. */
function splitLines(block: Buffer, first: number): { lines: Line[]; next: number } {
  const lines: Line[] = []
  let number = first
  if (isUtf8(block) && !block.includes(0)) {
    // latin1 is the quickest way to text, and the same thing as long as all is ASCII.
    for (const text of block.toString(isAscii(block) ? 'latin1' : 'utf8').split('\n')) {
      const line = text.endsWith('\r') ? text.slice(0, -1) : text
      if (line !== '') lines.push(isTooLong(line) ? tooLong(number, line) : { number, text: line })
      number += 1
    }
    return { lines, next: number }
  }
  for (let start = 0; start <= block.length; number += 1) {
    const found = block.indexOf(LF, start)
    const end = found === -1 ? block.length : found
    const bytes = block.subarray(start, end > start && block[end - 1] === CR ? end - 1 : end)
    if (bytes.length > 0) lines.push(judgeLine(bytes, number))
    start = end + 1
  }
  return { lines, next: number }
}

/** A character takes three bytes at most for each unit of its length, so short text needs no counting. */
function isTooLong(text: string): boolean {
  return text.length * 3 > MAX_LINE_BYTES && Buffer.byteLength(text) > MAX_LINE_BYTES
}

function tooLong(number: number, text: string): Line {
  const reason = `the line is longer than ${MAX_LINE_BYTES / 1024} KiB`
  return { number, text: text.slice(0, EXCERPT_BYTES), fault: { code: 'line-too-long', reason } }
}

/** A line of a block in which something is wrong. */
function judgeLine(bytes: Buffer, number: number): Line {
  const excerpt = bytes.toString('utf8', 0, EXCERPT_BYTES)
  if (bytes.length > MAX_LINE_BYTES) return tooLong(number, excerpt)
  if (bytes.includes(0)) {
    const fault = { code: 'nul-character', reason: 'the line holds a NUL character' }
    return { number, text: excerpt, fault }
  }
  if (!isUtf8(bytes))
    return {
      number,
      text: excerpt,
      fault: { code: 'not-utf8', reason: 'the line is not UTF-8 text' },
    }
  return { number, text: bytes.toString('utf8') }
}
