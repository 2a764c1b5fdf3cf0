import { findCandidates, isSecretsFile, LONGEST } from './candidates.js'
import type { Hit } from './types.js'

const LINE_BREAK = 0x0a
const NOTHING: Buffer = Buffer.alloc(0)

/**
 * Looks through one content that comes piece by piece, in memory that does not grow with its lines.
 * A secret that begins in one piece and ends in another is found.
 */
export class ContentSearch {
  /** What was found, in the order of place. */
  readonly hits: Hit[] = []
  readonly #countsLines: boolean
  #isBare = false
  /** The end of the piece before: a secret may begin there. */
  #rest = NOTHING
  /** How much of the rest was searched: it is neighbourhood only. */
  #searched = 0
  /** Where the rest begins: bytes, line breaks and characters since the last of these. */
  #offset = 0
  #lines = 0
  #characters = 0

  /**
   * @param countsLines false saves counting the line breaks of long contents; hits behind the first
   *   piece then have line 0
   */
  constructor(countsLines: boolean) {
    this.#countsLines = countsLines
  }

  /** Takes the next piece; its memory may be used anew afterwards. `isLast` with the end, maybe empty. */
  add(piece: Buffer, isLast: boolean): void {
    const bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece])
    if (this.#offset === 0) this.#isBare = isSecretsFile(bytes)
    const to = isLast ? bytes.length : Math.max(this.#searched, bytes.length - LONGEST)
    const range = { from: this.#searched, to, isBare: this.#isBare }
    const found = findCandidates(bytes, range)
    if (found.length > 0) this.#keep(bytes, found)
    if (!isLast) this.#leave(bytes, Math.max(0, to - 1), to)
  }

  #keep(bytes: Buffer, found: ReturnType<typeof findCandidates>): void {
    const isCounted = this.#countsLines || this.#offset === 0
    const place = { at: 0, lines: this.#lines, characters: this.#characters }
    for (const candidate of found) {
      if (isCounted) count(bytes, place, candidate.offset)
      this.hits.push({
        ...candidate,
        offset: this.#offset + candidate.offset,
        line: isCounted ? place.lines + 1 : 0,
        column: isCounted ? place.characters + 1 : 0,
      })
    }
  }

  /** Keeps the bytes from `start`, of which those before `to` are searched. */
  #leave(bytes: Buffer, start: number, to: number): void {
    if (this.#countsLines) {
      const place = { at: 0, lines: this.#lines, characters: this.#characters }
      count(bytes, place, start)
      this.#lines = place.lines
      this.#characters = place.characters
    }
    this.#offset += start
    this.#searched = to - start
    this.#rest = Buffer.from(bytes.subarray(start))
  }
}

/** Moves a place on to `end`, counting line breaks and the characters of UTF-8 since the last one. */
function count(
  bytes: Buffer,
  place: { at: number; lines: number; characters: number },
  end: number,
): void {
  let { lines, characters } = place
  for (let at = place.at; at < end; at += 1) {
    const byte = bytes[at] ?? 0
    if (byte === LINE_BREAK) {
      lines += 1
      characters = 0
    } else if ((byte & 0xc0) !== 0x80) characters += 1
  }
  place.at = end
  place.lines = lines
  place.characters = characters
}
