import type { Database } from '../database/database.js'
import { PooledDatabase } from '../database/pool.js'
import { commonConfig, PLAIN_NAMES, type Route } from '../database/route.js'
import { FailureError } from '../errors.js'
import type { SshSession } from '../ssh/session.js'
import { openTunnel, type Tunnel } from '../ssh/tunnel.js'
import type { Workspace } from '../workspace.js'
import { CONNECT_TIMEOUT_MS } from './reach.js'
import { lastWords } from './say.js'
import type { HostRow } from './store.js'
import { openHost, recordedLogin } from './way-in.js'

/** Of the statements of an audit the longest takes seconds. */
const CONNECT_WITHIN_MS = 20_000

/** How PostgreSQL of a host is reached from the host itself. */
interface Door {
  user: string
  socket: string
}

const QUERY = `select json_build_object('user', session_user, 'socket',
  trim(split_part(current_setting('unix_socket_directories'), ',', 1)) || '/.s.PGSQL.' || current_setting('port'))`

/**
 * PostgreSQL of a database host, through SSH: to its unix socket, as the user that is recorded of the host. It has the
 * rights that this user has there by psql, and needs no password and no line of pg_hba.conf for this machine.
 * Closing the database ends the SSH connection, too.
 * @throws what {@link openHost} throws; FailureError where PostgreSQL there does not answer
 */
export async function openPostgresql(
  workspace: Pick<Workspace, 'database' | 'keyring' | 'signal' | 'log'>,
  host: HostRow,
  environment: NodeJS.ProcessEnv,
): Promise<Database> {
  const { log, signal } = workspace
  const login = await recordedLogin(workspace, host, environment)
  const session = await openHost(workspace, host, login, { connectTimeoutMs: CONNECT_TIMEOUT_MS })
  let tunnel: Tunnel | undefined
  try {
    const { user, socket } = await findDoor(session, host)
    tunnel = await openTunnel(session, {
      path: socket,
      name: socketName(host),
      onRefused: ({ message }) => log.warn(`${host.name}: ${message}`),
    })
    const { folder } = tunnel
    const opened = tunnel
    return new PooledDatabase({
      target: { mode: 'server', description: host.name, profile: '' },
      routes: {
        next: async (failure) => (failure === undefined ? [routeOf(host, folder, user)] : []),
        question: undefined,
      },
      log,
      signal,
      onClose: async () => {
        await opened.close()
        session.close()
      },
    })
  } catch (error) {
    await tunnel?.close()
    session.close()
    throw error
  }
}

function routeOf(host: HostRow, folder: string, user: string): Route {
  return {
    place: host.name,
    config: {
      ...commonConfig({ maxConnections: 1, options: PLAIN_NAMES }),
      host: folder,
      port: portOf(host),
      user,
      database: 'postgres',
      application_name: 'cleverctl',
      connectionTimeoutMillis: CONNECT_WITHIN_MS,
      ssl: false,
    },
  }
}

async function findDoor(session: SshSession, host: HostRow): Promise<Door> {
  const script = `export LC_ALL=C PGOPTIONS='-c statement_timeout=10s' PGCONNECT_TIMEOUT=10
    exec psql -XAtqw -v ON_ERROR_STOP=1 -p ${portOf(host)} -d postgres -f -`
  const result = await session.run(script, { stdin: Buffer.from(QUERY) })
  if (result.code !== 0)
    throw new FailureError('psql-failed', `${host.name}: psql: ${lastWords(result)}`)
  const door = JSON.parse(result.stdout.toString('utf8')) as Door
  if (door.socket.startsWith('/') && !door.socket.startsWith('/.s.')) return door
  throw new FailureError('no-unix-socket', `PostgreSQL of ${host.name} listens at no unix socket`)
}

function socketName(host: HostRow): string {
  return `.s.PGSQL.${portOf(host)}`
}

function portOf({ postgresql }: HostRow): number {
  return postgresql?.port ?? 0
}
