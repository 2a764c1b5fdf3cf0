import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { errorCode, READ_AT_ONCE } from '../../file-system.js'
import { ContentSearch } from './content.js'
import type { Pace } from './pace.js'
import type { Hit } from './types.js'
import type { Place } from './walk.js'

/** A piece should stay in the processor's cache between reading and searching. */
const PIECE_BYTES = 256 * 1024
/** Never a link that took a file's place since its folder was listed; Windows knows no such flag. */
const NO_LINK = constants.O_NOFOLLOW ?? 0

/** Searches plain files, one after the other, in one piece of memory. */
export class FileSearch {
  readonly #pace: Pace
  readonly #piece = Buffer.allocUnsafe(PIECE_BYTES)

  constructor(pace: Pace) {
    this.#pace = pace
  }

  /**
   * Everything that was found in a file, binary or not, or why it could not be read to its end.
   * @param followsLink for a file that was named in words
   */
  async search(
    { path }: Place,
    { followsLink = false } = {},
  ): Promise<{ hits: readonly Hit[]; failure: string | undefined }> {
    let hits: readonly Hit[] = []
    let file: number | undefined
    try {
      file = openSync(path, READ_AT_ONCE | (followsLink ? 0 : NO_LINK))
      const status = fstatSync(file)
      if (!status.isFile()) return { hits, failure: 'it is no plain file; a pipe is read as -' }
      const first = new ContentSearch(false)
      hits = first.hits
      await this.#read(file, status.size, first)
      if (hits.some(({ line }) => line === 0)) {
        const { bytes } = this.#pace.scanned
        const second = new ContentSearch(true)
        await this.#read(file, status.size, second)
        this.#pace.scanned.bytes = bytes
        hits = withLines(hits, second.hits)
      }
      this.#pace.scanned.files += 1
      return { hits, failure: undefined }
    } catch (error) {
      if (!isSystemError(error)) throw error
      return { hits, failure: `cannot read it (${errorCode(error)})` }
    } finally {
      if (file !== undefined) closeSync(file)
    }
  }

  /** @param size as the system tells it; 0 also for files of /proc, which are read to their end */
  async #read(file: number, size: number, search: ContentSearch): Promise<void> {
    for (let position = 0; ;) {
      const length = readSync(file, this.#piece, 0, this.#piece.length, position)
      position += length
      const isLast = length === 0 || (size > 0 && position >= size)
      search.add(this.#piece.subarray(0, length), isLast)
      if (this.#pace.took(length)) await this.#pace.rest()
      if (isLast) return
    }
  }
}

/** Only a file with hits is worth counting its lines. What is gone meanwhile stays found, without a line. */
function withLines(hits: readonly Hit[], counted: readonly Hit[]): Hit[] {
  const byOffset = new Map(counted.map((hit) => [hit.offset, hit]))
  return hits.map((hit) => {
    const again = byOffset.get(hit.offset)
    return again?.digest.equals(hit.digest) ? again : hit
  })
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error
}
