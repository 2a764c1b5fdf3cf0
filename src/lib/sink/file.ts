import { parseApiKey } from '../api-key/format.js'
import { ConflictError } from '../errors.js'
import { readFormer, replaceFile } from './replace-file.js'
import type { Sink } from './types.js'

/**
 * A file that holds the key and a newline, mode 0600. It may replace one that holds an API key, which is
 * its point, and nothing else.
 */
export function fileSink(path: string): Sink {
  return {
    name: `file:${path}`,
    canPutBack: true,
    check: async () => requireKeyFile(path, (await readFormer(path))?.content),
    deliver: async (secret) =>
      replaceFile(
        path,
        (former) => {
          requireKeyFile(path, former)
          return `${secret.reveal()}\n`
        },
        0o600,
      ),
  }
}

function requireKeyFile(path: string, content: Buffer | undefined): void {
  if (content === undefined || parseApiKey(content.toString('utf8').trim())) return
  throw new ConflictError(
    'file-exists',
    `${path} holds something else than an API key and is not overwritten`,
    { suggestions: ['name another file, or move this one away'] },
  )
}
