import { hasPassword, splitUrl } from '../../config/libpq-url.js'
import { resolveSettings } from '../../config/settings.js'
import type { Database } from '../../database/database.js'
import { openDatabase } from '../../database/open.js'
import { PLAIN_NAMES } from '../../database/route.js'
import { describeServer } from '../../database/server-routes.js'
import { UsageError } from '../../errors.js'
import type { Log } from '../../workspace.js'

/**
 * A server to be audited, by its URL. Over the network its certificate is verified, unless the URL or
 * PGSSLMODE says otherwise. Nothing is opened yet.
 * @throws UsageError for a URL that is none or holds a password
 */
export async function openServer(
  dsn: string,
  given: { environment: NodeJS.ProcessEnv; log: Log; signal: AbortSignal },
): Promise<{ host: string; open: () => Promise<Database>; isOwn: boolean }> {
  const { environment, log, signal } = given
  if (hasPassword(dsn))
    throw new UsageError(
      'password-in-flag',
      '--dsn holds a password, which other users of this machine can read',
      { suggestions: ['put it in a file named by PGPASSFILE'] },
    )
  const parts = splitUrl(dsn)
  const isChosen = Boolean(parts.sslmode ?? environment['PGSSLMODE'])
  const isSocket = parts.host === '' || parts.host?.startsWith('/') === true
  const url =
    isChosen || isSocket ? dsn : `${dsn}${dsn.includes('?') ? '&' : '?'}sslmode=verify-full`
  const settings = await resolveSettings({ databaseUrl: url, environment })
  const { database } = settings
  if (database.mode !== 'server') throw new Error('a URL names a server')
  const named = { ...database, options: `${PLAIN_NAMES} ${database.options ?? ''}` }
  return {
    host: describeServer(database),
    open: () =>
      openDatabase(
        { ...settings, database: named },
        { log, signal, maxConnections: 1, migrations: 'ignore' },
      ),
    isOwn: false,
  }
}
