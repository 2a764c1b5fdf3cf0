import { readFile, stat } from 'node:fs/promises'
import type { ServerSettings } from '../config/libpq.js'
import { RefusedError, UsageError } from '../errors.js'

/**
 * The password for one host: the one given with the settings, else the first line that fits in
 * libpq's password file. Called only when the server asks for a password.
 * Throws RefusedError when there is none, UsageError when the file is open to group or world.
 */
export async function passwordFor(
  settings: ServerSettings,
  host: string,
  port: number,
): Promise<string> {
  if (settings.password !== undefined) return settings.password.reveal()
  const lines = await passwordLines(settings.passwordFile)
  const hostName = host.startsWith('/') ? 'localhost' : host
  const wanted = [hostName, String(port), settings.database, settings.user]
  for (const line of lines) {
    const fields = splitLine(line)
    const password = fields[wanted.length]
    const isMatch = wanted.every((value, index) => fields[index] === '*' || fields[index] === value)
    if (isMatch && password !== undefined && password !== '') return password
  }
  throw new RefusedError(
    'password-missing',
    `${host}:${port} asks for the password of role ${settings.user}, and none is known`,
    {
      suggestions: [
        `a line in ${settings.passwordFile} (mode 0600): ${wanted.join(':')}:PASSWORD`,
        'or PGPASSWORD, or CLEVERCTL_DATABASE_URL_FILE',
      ],
    },
  )
}

async function passwordLines(file: string): Promise<string[]> {
  let text: string
  try {
    const { mode } = await stat(file)
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw new UsageError('exposed-file', `the password file ${file} is open to group or world`, {
        suggestions: [`chmod 600 ${file}`],
      })
    }
    text = await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof UsageError) throw error
    return []
  }
  return text.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('#'))
}

/** Fields between colons; a backslash takes the next character as it is. */
function splitLine(line: string): string[] {
  return [...line.matchAll(/((?:\\.|[^:\\])*)(?::|$)/g)].map(([, field = '']) =>
    field.replace(/\\(.)/g, '$1'),
  )
}
