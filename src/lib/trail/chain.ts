import { hashOfRow, NO_HASH, type TrailRow } from './row.js'
import type { TrailHead } from './store.js'

/** One thing that is wrong with the trail. */
export interface TrailProblem {
  /** Number of the row, or of the first of several. */
  seq: number
  /** Number of the last row, where several are meant. */
  throughSeq?: number
  kind: 'altered' | 'removed' | 'inserted' | 'reordered' | 'head'
  /** For people: what was seen. */
  explanation: string
}

/** What checking a trail gave. */
export interface TrailVerdict {
  rows: number
  /** The last row, whose hash stands for all rows up to it. */
  head: { seq: number; hash: string }
  problems: TrailProblem[]
  /** More problems than are listed. */
  unlistedProblems: number
}

/** More than this many tell nobody anything new, and memory stays bounded. */
const MOST_PROBLEMS = 1000
/** Rows whose former place is searched for; it costs a hash for each pair. */
const MOST_DISPLACED = 100

/** A row of a chain. */
export interface ChainedRow {
  seq: string
  /** Hexadecimal. */
  previousHash: string
  /** Hexadecimal. */
  hash: string
}

/** Checks a chain row by row, in the order of their numbers, in bounded memory. */
export class HashChain<Row extends ChainedRow> {
  readonly #hashOf: (row: Row) => string
  #rows = 0
  #last: { seq: number; hash: string; isSound: boolean }
  readonly #problems: TrailProblem[] = []
  #unlisted = 0
  readonly #altered: Row[] = []

  /**
   * @param hashOf the hash that a row must have
   * @param before the row before the first one added, where that is not row 1
   */
  constructor(hashOf: (row: Row) => string, before = { seq: 0, hash: NO_HASH }) {
    this.#hashOf = hashOf
    this.#last = { ...before, isSound: true }
  }

  /** Number of the last row. */
  get lastSeq(): number {
    return this.#last.seq
  }

  /** Takes the next row. */
  add(row: Row): void {
    const seq = Number(row.seq)
    const isSound = this.#hashOf(row) === row.hash
    this.#rows++
    if (seq <= this.#last.seq) {
      this.#report({ seq, kind: 'inserted', explanation: 'its number is taken, or below 1' })
      return
    }
    if (seq > this.#last.seq + 1) {
      this.#reportRemoved(this.#last.seq + 1, seq - 1)
    } else if (isSound && this.#last.isSound && row.previousHash !== this.#last.hash) {
      this.#report({
        seq: Math.max(seq - 1, 1),
        kind: 'altered',
        explanation: `row ${seq} does not follow from the row before it: one of them was rewritten together with its hash`,
      })
    }
    if (!isSound) {
      this.#report({ seq, kind: 'altered', explanation: 'its fields do not give its hash' })
      if (this.#altered.length < MOST_DISPLACED) this.#altered.push(row)
    }
    this.#last = { seq, hash: row.hash, isSound }
  }

  /** Takes a piece of the trail that is no row. */
  addUnreadable(seq: number, explanation: string): void {
    this.#rows++
    this.#report({ seq, kind: 'altered', explanation })
    this.#last = { seq, hash: '', isSound: false }
  }

  /**
   * The verdict on what was added.
   * @param end the end of the chain as it was noted elsewhere; `unknown` where nobody noted it
   */
  finish(end: TrailHead | undefined | 'unknown'): TrailVerdict {
    if (end !== 'unknown') this.#compareEnd(end)
    this.#findDisplaced()
    return {
      rows: this.#rows,
      head: { seq: this.#last.seq, hash: this.#last.hash },
      problems: this.#problems.sort((one, other) => one.seq - other.seq),
      unlistedProblems: this.#unlisted,
    }
  }

  #compareEnd(end: TrailHead | undefined): void {
    const { seq, hash } = this.#last
    const endSeq = Number(end?.seq)
    if (end === undefined) {
      this.#report({ seq, kind: 'head', explanation: 'the note of the last row is gone' })
    } else if (endSeq > seq) this.#reportRemoved(seq + 1, endSeq)
    else if (endSeq < seq) {
      const explanation = `the last row is noted as ${endSeq}`
      this.#report({ ...span(endSeq + 1, seq), kind: 'inserted', explanation })
    } else if (end.hash !== hash) {
      const explanation = 'the hash noted for the last row is not that of the last row'
      this.#report({ seq, kind: 'head', explanation })
    }
  }

  /** Tells rows that were put into another's place from rows whose fields were changed. */
  #findDisplaced(): void {
    const places = this.#problems.flatMap(({ seq, throughSeq = seq }) => [seq, throughSeq])
    const origins = new Map<number, number>()
    for (const row of this.#altered) {
      const seq = Number(row.seq)
      const origin = [...places, seq - 1, seq + 1].find(
        (place) => place !== seq && this.#hashOf({ ...row, seq: String(place) }) === row.hash,
      )
      if (origin !== undefined) origins.set(seq, origin)
    }
    for (const [seq, origin] of origins) {
      this.#rename(seq, 'reordered', `it was made as row ${origin}`)
    }
    for (const origin of origins.values()) {
      if (origins.has(origin) || !this.#hasRow(origin)) continue
      this.#rename(origin, 'inserted', 'another row was made as this one')
    }
  }

  #hasRow(seq: number): boolean {
    const isRemoved = this.#problems.some(
      (problem) =>
        problem.kind === 'removed' &&
        problem.seq <= seq &&
        seq <= (problem.throughSeq ?? problem.seq),
    )
    return seq >= 1 && seq <= this.#last.seq && !isRemoved
  }

  /** Says better what is wrong with a row. */
  #rename(seq: number, kind: TrailProblem['kind'], explanation: string): void {
    const known = this.#problems.find((problem) => problem.seq === seq)
    if (known === undefined) this.#report({ seq, kind, explanation })
    else if (known.kind === 'altered') Object.assign(known, { kind, explanation })
  }

  #reportRemoved(from: number, through: number): void {
    const explanation = from === through ? 'it is not there' : 'they are not there'
    this.#report({ ...span(from, through), kind: 'removed', explanation })
  }

  #report(problem: TrailProblem): void {
    if (this.#problems.length < MOST_PROBLEMS) this.#problems.push(problem)
    else this.#unlisted++
  }
}

/** Checks the trail. */
export class TrailChain extends HashChain<TrailRow> {
  /** @param before the row before the first one added, where that is not row 1 */
  constructor(before?: { seq: number; hash: string }) {
    super(hashOfRow, before)
  }
}

function span(seq: number, throughSeq: number): { seq: number; throughSeq?: number } {
  return seq === throughSeq ? { seq } : { seq, throughSeq }
}
