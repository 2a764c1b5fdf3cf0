import { FailureError } from '../../errors.js'
import { ContentSearch } from './content.js'
import { streamGit, type GitContext } from './git.js'
import type { Pace } from './pace.js'
import type { Hit } from './types.js'

/** An object in which something was found. */
export interface GuiltyObject {
  id: string
  type: 'blob' | 'commit' | 'tag'
  hits: readonly Hit[]
}

/**
 * Every object that git keeps, in the order in which git reads them fastest: each once, whatever
 * commit, branch, stash or deleted file it belongs to, or to none any more.
 */
const EVERYTHING = ['cat-file', '--batch-all-objects', '--unordered', '--buffer', '--batch']
const LINE_BREAK = 0x0a
/** What git says instead of an object that it cannot read. */
const MISSING = /^([0-9a-f]{40,64}) missing$/
const HEAD = /^([0-9a-f]{40,64}) (blob|commit|tag|tree) (\d+)$/

/**
 * Searches every blob, commit and tag of a repository.
 * Throws FailureError when git could not read all of them, the signal's reason when stopped.
 */
export async function* searchObjects(
  folder: string,
  context: GitContext,
  pace: Pace,
): AsyncGenerator<GuiltyObject> {
  const reader = new ObjectReader()
  for await (const piece of streamGit(folder, EVERYTHING, context)) {
    yield* reader.add(piece)
    pace.scanned.objects += reader.takeCount()
    if (pace.took(piece.length)) await pace.rest()
  }
  const [missing] = reader.missing
  if (missing === undefined) return
  const message = `git: cannot read ${reader.missing.length} objects, among them ${missing}`
  throw new FailureError('git-failed', message)
}

/** Takes the output of `git cat-file --batch` apart, whose objects lie in pieces of any length. */
class ObjectReader {
  /** Objects that git could not read. */
  readonly missing: string[] = []
  #head = ''
  #object: { id: string; type: string; search: ContentSearch | undefined } | undefined
  /** Bytes of the object that are still to come, the line break behind it not counted. */
  #left = 0
  #count = 0

  /** How many objects were searched since the last time. */
  takeCount(): number {
    const count = this.#count
    this.#count = 0
    return count
  }

  *add(piece: Buffer): Generator<GuiltyObject> {
    let at = 0
    while (at < piece.length) {
      if (this.#object === undefined) at = this.#readHead(piece, at)
      else if (this.#left > 0) {
        const end = Math.min(piece.length, at + this.#left)
        this.#left -= end - at
        this.#object.search?.add(piece.subarray(at, end), this.#left === 0)
        at = end
      } else {
        at += 1
        yield* this.#finish()
      }
    }
  }

  #readHead(piece: Buffer, from: number): number {
    const end = piece.indexOf(LINE_BREAK, from)
    if (end === -1) {
      this.#head += piece.toString('latin1', from)
      return piece.length
    }
    const head = this.#head + piece.toString('latin1', from, end)
    this.#head = ''
    const [, missing] = MISSING.exec(head) ?? []
    if (missing !== undefined) {
      this.missing.push(missing)
      return end + 1
    }
    const [, id, type, size] = HEAD.exec(head) ?? []
    if (id === undefined || type === undefined) throw new Error('git told an object otherwise')
    // Trees hold names and ids only.
    this.#object = { id, type, search: type === 'tree' ? undefined : new ContentSearch(true) }
    this.#left = Number(size)
    return end + 1
  }

  *#finish(): Generator<GuiltyObject> {
    const { id, type, search } = this.#object ?? {}
    this.#object = undefined
    if (id === undefined || search === undefined) return
    this.#count += 1
    const { hits } = search
    if (hits.length > 0) yield { id, type: type as GuiltyObject['type'], hits }
  }
}
