import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, readdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FailureError } from '../../errors.js'
import { clientNames } from './account.js'
import type { Account } from './account.js'
import { isAlive, runProgram } from './child.js'
import { dataFolder, serverFolder, SOCKET_PORT } from './place.js'
import type { Programs } from './state.js'

/** The superuser of the embedded server, its only role that logs in, and the database. */
export const EMBEDDED_NAME = 'cleverctl'
const DRAFT = 'draft-'

/**
 * Makes the data folder. It is made under another name and gets its own by one rename, so a data
 * folder is complete or not there, whenever this process is killed.
 */
export async function initialise(
  place: string,
  given: { programs: Programs; account: Account; signal: AbortSignal | undefined },
): Promise<void> {
  const { programs, account, signal } = given
  const folder = serverFolder(place)
  await removeDrafts(folder, account)
  const draft = join(folder, `${DRAFT}${process.pid}-${randomBytes(4).toString('hex')}`)
  const { code, stderr } = await runProgram(
    join(programs.folder, 'initdb'),
    [
      ...['-D', draft, '-U', EMBEDDED_NAME, '--auth-local=peer', '--auth-host=reject'],
      ...['-k', '--no-locale', '-E', 'UTF8'],
    ],
    { account, folder, signal },
  )
  if (code !== 0) throw initialisationFailed(stderr)
  try {
    await rename(draft, dataFolder(place))
  } catch (error) {
    if (!existsSync(dataFolder(place))) throw error
  }
}

/**
 * Writes the server's settings, again at each start because they follow from where it is. They lie
 * outside the data folder, in one that only the tool's own account writes.
 */
export async function writeServerSettings(place: string, socketFolder: string): Promise<void> {
  const file = (name: string): string => join(place, name)
  const settings = {
    listen_addresses: '',
    port: String(SOCKET_PORT),
    // A list of folders, hence the inner quotes.
    unix_socket_directories: `"${socketFolder.replaceAll('"', '""')}"`,
    unix_socket_permissions: '0700',
    hba_file: file('pg_hba.conf'),
    ident_file: file('pg_ident.conf'),
    cluster_name: EMBEDDED_NAME,
    lc_messages: 'C',
    // Failed statements are told to the command that sent them. In a log their messages, details and
    // texts would keep values that nobody should read there. (`log` ranks above `error` here.)
    log_min_messages: 'log',
    log_error_verbosity: 'terse',
    log_min_error_statement: 'panic',
    log_checkpoints: 'off',
    log_destination: 'stderr',
    logging_collector: 'off',
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${quote(value)}\n`)
  const include = `include = ${quote(join(dataFolder(place), 'postgresql.conf'))}\n`
  const clients = clientNames().map(
    (name) => `${EMBEDDED_NAME} "${name.replaceAll('"', '""')}" ${EMBEDDED_NAME}\n`,
  )
  await writeReadable(settingsFile(place), [include, ...lines].join(''))
  await writeReadable(file('pg_hba.conf'), `local all ${EMBEDDED_NAME} peer map=${EMBEDDED_NAME}\n`)
  await writeReadable(file('pg_ident.conf'), clients.join(''))
}

/** The file that the server is started with. */
export function settingsFile(place: string): string {
  return join(place, 'postgresql.conf')
}

/** What a killed first start left behind. Never a data folder: that has lost this name. */
async function removeDrafts(folder: string, account: Account): Promise<void> {
  const names = await readdir(folder)
  const drafts = names.filter(
    (name) => name.startsWith(DRAFT) && !isAlive(Number(name.split('-')[1])),
  )
  if (drafts.length === 0) return
  // As the server's account, so that nothing planted in its folder can lead root astray. An initdb
  // that outlived its parent may still be writing; then the rest goes at the next chance.
  await runProgram('/bin/rm', ['-rf', '--', ...drafts.map((name) => join(folder, name))], {
    account,
    folder,
  })
}

function initialisationFailed(stderr: string): FailureError {
  const line =
    stderr.split('\n').find((text) => /error:|fatal:/i.test(text)) ?? stderr.split('\n')[0] ?? ''
  return new FailureError(
    'embedded-init-failed',
    `the embedded database cannot be made: ${line.trim()}`,
    {
      suggestions: ['cleverctl doctor', 'or use a server: --database-url'],
    },
  )
}

/** For the server's account too, whatever the umask is; nothing in it is a secret. */
async function writeReadable(file: string, text: string): Promise<void> {
  await writeFile(file, text)
  await chmod(file, 0o644)
}

function quote(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
}
