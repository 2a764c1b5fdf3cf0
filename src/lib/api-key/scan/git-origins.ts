import { streamGit, type GitContext } from './git.js'

/** How a blob came into the history. */
export interface BlobOrigin {
  commit: string
  file: string
}

/** Command lines are limited; so many ids need half of the least limit. */
const IDS_AT_ONCE = 1000
const COMMIT = /^\n?commit ([0-9a-f]{40,64})$/
const CHANGE = /^\n?:\d+ \d+ [0-9a-f]+ ([0-9a-f]{40,64}) /

/**
 * The first commit that brought each of these blobs and the path it gave it, over all refs and what
 * the reflog remembers. A blob that no commit leads to is absent.
 * Throws as {@link streamGit} does.
 */
export async function findOrigins(
  folder: string,
  blobs: readonly string[],
  context: GitContext,
): Promise<Map<string, BlobOrigin>> {
  const origins = new Map<string, BlobOrigin>()
  for (let start = 0; start < blobs.length; start += IDS_AT_ONCE) {
    const wanted = new Set(blobs.slice(start, start + IDS_AT_ONCE))
    const words = [
      'log',
      ...['--all', '--reflog', '--reverse', '-m', '--root'],
      ...['--raw', '-z', '-r', '--no-abbrev', '--no-renames', '--no-ext-diff', '--no-textconv'],
      '--format=commit %H',
      ...[...wanted].map((id) => `--find-object=${id}`),
    ]
    let commit = ''
    let isWanted: string | undefined
    for await (const field of fields(streamGit(folder, words, context))) {
      if (isWanted !== undefined) {
        if (!origins.has(isWanted)) origins.set(isWanted, { commit, file: field })
        isWanted = undefined
        continue
      }
      commit = COMMIT.exec(field)?.[1] ?? commit
      const id = CHANGE.exec(field)?.[1]
      // The next field is the path; another one's is taken for a field that says nothing.
      if (id !== undefined && wanted.has(id)) isWanted = id
    }
  }
  return origins
}

async function* fields(pieces: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const piece of pieces) {
    let from = 0
    const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece])
    for (let end = bytes.indexOf(0); end !== -1; end = bytes.indexOf(0, from)) {
      yield bytes.toString('utf8', from, end)
      from = end + 1
    }
    rest = Buffer.from(bytes.subarray(from))
  }
  if (rest.length > 0) yield rest.toString()
}
