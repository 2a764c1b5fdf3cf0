import { readFile, stat } from 'node:fs/promises'
import type { ConnectionOptions } from 'node:tls'
import type { ServerSettings, SessionAttributes } from '../config/libpq.js'
import { UsageError } from '../errors.js'
import { passwordFor } from './password-file.js'
import { commonConfig } from './route.js'
import type { Route, Routes } from './route.js'

/** What a server must answer with true to be the wanted one. */
const SESSION_QUESTIONS: Record<SessionAttributes, string | undefined> = {
  any: undefined,
  'read-write': `select not pg_is_in_recovery() and current_setting('transaction_read_only') = 'off' as answer`,
  'read-only': `select pg_is_in_recovery() or current_setting('transaction_read_only') = 'on' as answer`,
  primary: 'select not pg_is_in_recovery() as answer',
  standby: 'select pg_is_in_recovery() as answer',
}

/** A server for people: `postgres://user@host:port/name`; several hosts separated by commas. */
export function describeServer(
  settings: Pick<ServerSettings, 'hosts' | 'user' | 'database'>,
): string {
  const hosts = settings.hosts.map(
    ({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`,
  )
  return `postgres://${settings.user}@${hosts.join(',')}/${settings.database}`
}

/**
 * The ways to a server that somebody else runs: each host in order, with TLS and without as far as
 * sslmode allows. Certificates are read now; throws UsageError naming a file that cannot be used.
 */
export async function serverRoutes(
  settings: ServerSettings,
  given: { maxConnections: number | undefined; connectWithinMs: number | undefined },
): Promise<Routes> {
  const tls = settings.tls.mode === 'disable' ? false : await tlsOptions(settings.tls)
  const common = commonConfig({ maxConnections: given.maxConnections, options: settings.options })
  // The driver takes 0, as libpq does, for ever.
  const connectTimeoutMs = Math.min(
    settings.connectTimeoutMs || Infinity,
    given.connectWithinMs ?? Infinity,
  )
  const routes = settings.hosts.flatMap(({ host, port }) =>
    tlsChoices(settings.tls.mode, host, tls).map((ssl): Route => ({
      place: describeServer({ ...settings, hosts: [{ host, port }] }),
      config: {
        ...common,
        host,
        port,
        user: settings.user,
        database: settings.database,
        password: () => passwordFor(settings, host, port),
        application_name: settings.applicationName,
        connectionTimeoutMillis: Number.isFinite(connectTimeoutMs) ? connectTimeoutMs : 0,
        ssl,
      },
    })),
  )
  return {
    next: async (failure) => (failure === undefined ? routes : []),
    question: SESSION_QUESTIONS[settings.sessionAttributes],
  }
}

/** As libpq: unix sockets are never encrypted, `prefer` falls back to plain text, `allow` begins with it. */
function tlsChoices(
  mode: ServerSettings['tls']['mode'],
  host: string,
  tls: ConnectionOptions | false,
): (ConnectionOptions | false)[] {
  if (host.startsWith('/') || mode === 'disable') return [false]
  if (mode === 'prefer') return [tls, false]
  if (mode === 'allow') return [false, tls]
  return [tls]
}

/** As libpq: with a root certificate the chain is checked in every mode, the name only by verify-full. */
async function tlsOptions(tls: ServerSettings['tls']): Promise<ConnectionOptions> {
  const options: ConnectionOptions = { rejectUnauthorized: tls.rootCertificate !== undefined }
  if (tls.rootCertificate !== undefined && tls.rootCertificate !== 'system') {
    options.ca = await readPem(tls.rootCertificate, 'sslrootcert')
  }
  if (tls.mode !== 'verify-full') options.checkServerIdentity = () => undefined
  if (tls.certificate !== undefined) {
    if (tls.key === undefined)
      throw new UsageError('tls-invalid', 'sslcert is given without sslkey')
    await refuseOpenKey(tls.key)
    options.cert = await readPem(tls.certificate, 'sslcert')
    options.key = await readPem(tls.key, 'sslkey')
  }
  return options
}

async function readPem(file: string, parameter: string): Promise<Buffer> {
  return readFile(file).catch((cause: unknown) => {
    throw new UsageError('tls-invalid', `${parameter}: cannot read ${file}`, { cause })
  })
}

/** As libpq: 0600, or 0640 when root owns it. */
async function refuseOpenKey(file: string): Promise<void> {
  if (process.platform === 'win32') return
  const status = await stat(file).catch((cause: unknown) => {
    throw new UsageError('tls-invalid', `sslkey: cannot read ${file}`, { cause })
  })
  if ((status.mode & (status.uid === 0 ? 0o037 : 0o077)) !== 0) {
    throw new UsageError('exposed-file', `sslkey: ${file} is open to group or world`, {
      suggestions: [`chmod 600 ${file}`],
    })
  }
}
