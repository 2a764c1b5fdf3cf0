import type { Log } from '../workspace.js'
import type { Database } from './database.js'
import { PooledDatabase } from './pool.js'
import { PLAIN_NAMES, type Route } from './route.js'

/**
 * Another database of the server that `database` leads to, with the same login. Nothing is opened before
 * the first use. Close it.
 */
export async function openSibling(
  database: Database,
  name: string,
  given: { log: Log; signal: AbortSignal | undefined },
): Promise<Database> {
  const { options } = await database.pool()
  const { host, port, user } = options
  if (host === undefined || port === undefined || user === undefined)
    throw new Error('a pool without a place')
  const place = `${database.target.description}, database ${name}`
  // The driver hides the password from whoever copies the options.
  const password = options.password
  const session = `${PLAIN_NAMES} ${options.options ?? ''}`
  const config = {
    ...options,
    options: session,
    password,
    host,
    port,
    user,
    database: name,
    max: 1,
  }
  const route: Route = { place, config }
  return new PooledDatabase({
    target: { ...database.target, description: place },
    routes: {
      next: async (failure) => (failure === undefined ? [route] : []),
      question: undefined,
    },
    ...given,
  })
}
