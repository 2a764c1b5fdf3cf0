import { open } from 'node:fs/promises'
import { FailureError, UsageError } from '../errors.js'
import { errorCode } from '../file-system.js'
import type { Delivered, Sink } from './types.js'

/**
 * A variable for the later steps of a job of GitHub Actions: appended to the file that $GITHUB_ENV names. It
 * is not hidden in their logs: the line that asks for this holds the key itself, and no output may do that.
 * @param file value of $GITHUB_ENV
 */
export function githubEnvSink(file: string | undefined, variable: string): Sink {
  return {
    name: `github-env:${variable}`,
    canPutBack: true,
    check: async () => void requireFile(file),
    deliver: async (secret, { random }) => {
      const delimiter = `end_${random.bytes(16).toString('hex')}`
      const entry = `${variable}<<${delimiter}\n${secret.reveal()}\n${delimiter}\n`
      return append(requireFile(file), entry)
    },
  }
}

function requireFile(file: string | undefined): string {
  if (file) return file
  throw new UsageError('no-github-env', 'github-env: GITHUB_ENV is not set', {
    suggestions: ['this sink is for a job of GitHub Actions'],
  })
}

async function append(path: string, entry: string): Promise<Delivered> {
  try {
    const file = await open(path, 'a')
    try {
      const { size } = await file.stat()
      await file.writeFile(entry)
      await file.sync()
      return { putBack: () => cut(path, size, entry) }
    } finally {
      await file.close()
    }
  } catch (error) {
    throw new FailureError('cannot-write', `github-env: cannot append (${errorCode(error)})`, {
      cause: error,
    })
  }
}

/** Takes the entry away where it is still the last one. */
async function cut(path: string, size: number, entry: string): Promise<void> {
  const file = await open(path, 'r+')
  try {
    const found = Buffer.alloc(Buffer.byteLength(entry) + 1)
    const { bytesRead } = await file.read(found, 0, found.length, size)
    if (found.toString('utf8', 0, bytesRead) !== entry)
      throw new FailureError('file-in-use', 'github-env: somebody else has written since')
    await file.truncate(size)
  } finally {
    await file.close()
  }
}
