import { UsageError } from '../errors.js'
import { Secret } from '../secret.js'
import { readSecretFile } from '../secret-file.js'

/** Bigger than any key, token or password: what comes on stdin must not fill the memory. */
const MAX_BYTES = 64 * 1024

/**
 * Reads a secret from a file, or from stdin to its end when `path` is `-`; a trailing newline is cut.
 * @param flagName the flag that named it, for the message
 * Throws UsageError when it is missing, open to other users, empty, too big or holds a NUL.
 */
export async function readSecret(path: string, flagName: string): Promise<Secret> {
  const source = `--${flagName}`
  if (path !== '-') return checkedSecret((await readSecretFile(path)).reveal(), source)
  return checkedSecret((await readStdin(source)).replace(/\r?\n$/, ''), `${source} - (stdin)`)
}

/**
 * Wraps a secret that a person, a file or a pipe gave.
 * @param source where it came from, for the message
 * Throws UsageError when it is empty or holds a NUL.
 */
export function checkedSecret(text: string, source: string): Secret {
  if (text === '') throw new UsageError('secret-empty', `${source}: the secret is empty`)
  if (text.includes('\0'))
    throw new UsageError('secret-invalid', `${source}: the secret holds a NUL character`)
  return new Secret(text)
}

/** oclif reads stdin too, but gives up after 10 ms and takes the dash for the secret. */
async function readStdin(source: string): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_BYTES)
      throw new UsageError('secret-invalid', `${source}: stdin is larger than any secret`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
