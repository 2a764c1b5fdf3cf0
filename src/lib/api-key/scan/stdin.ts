import { addAbortSignal } from 'node:stream'
import { ContentSearch } from './content.js'
import type { Pace } from './pace.js'
import type { Hit } from './types.js'

/** Everything that is found on stdin, read to its end. Throws the signal's reason when stopped. */
export async function searchStdin(pace: Pace, signal: AbortSignal): Promise<readonly Hit[]> {
  const search = new ContentSearch(true)
  try {
    const stream = addAbortSignal(signal, process.stdin)
    for await (const piece of stream as AsyncIterable<Buffer>) {
      search.add(piece, false)
      if (pace.took(piece.length)) await pace.rest()
    }
  } catch (error) {
    signal.throwIfAborted()
    throw error
  }
  search.add(Buffer.alloc(0), true)
  return search.hits
}
