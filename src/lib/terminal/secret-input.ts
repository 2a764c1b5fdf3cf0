import { UsageError } from '../errors.js'
import { readAtMost } from '../read-at-most.js'
import { Secret } from '../secret.js'
import { MAX_SECRET_BYTES, readSecretFile } from '../secret-file.js'

/**
 * Reads a secret from a file, or from stdin to its end when `path` is `-`; a trailing newline is cut.
 * @param flagName the flag that named it, for the message
 * Throws UsageError when it is missing, open to other users, empty, too big or holds a NUL.
 */
export async function readSecret(path: string, flagName: string): Promise<Secret> {
  const source = `--${flagName}`
  if (path !== '-') return checkedSecret((await readSecretFile(path, source)).reveal(), source)
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
  const bytes = await readAtMost(process.stdin, MAX_SECRET_BYTES)
  if (bytes === undefined)
    throw new UsageError('secret-invalid', `${source}: stdin is larger than any secret`)
  return bytes.toString('utf8')
}
