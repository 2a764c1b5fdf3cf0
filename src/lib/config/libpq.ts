import { existsSync } from 'node:fs'
import { homedir, userInfo } from 'node:os'
import { join } from 'node:path'
import { UsageError } from '../errors.js'
import { Secret } from '../secret.js'
import { PARAMETERS, splitUrl } from './libpq-url.js'
import type { Parameter } from './libpq-url.js'

/** How far TLS is demanded, in libpq's words. */
export type SslMode = 'disable' | 'allow' | 'prefer' | 'require' | 'verify-ca' | 'verify-full'

/** Which of several servers will do, in libpq's words. */
export type SessionAttributes = 'any' | 'read-write' | 'read-only' | 'primary' | 'standby'

/** A PostgreSQL server and how to log in to it. */
export interface ServerSettings {
  mode: 'server'
  /** Tried in this order; a host that starts with `/` is a folder of unix sockets. */
  hosts: readonly { host: string; port: number }[]
  user: string
  database: string
  password: Secret | undefined
  /** libpq's password file; need not exist. */
  passwordFile: string
  tls: {
    mode: SslMode
    /** A file of PEM certificates, or `system` for those Node.js trusts. */
    rootCertificate: string | undefined
    certificate: string | undefined
    key: string | undefined
  }
  connectTimeoutMs: number
  applicationName: string
  sessionAttributes: SessionAttributes
  /** More server settings for the session, as in PGOPTIONS. */
  options: string | undefined
}

const SSL_MODES: readonly SslMode[] = [
  'disable',
  'allow',
  'prefer',
  'require',
  'verify-ca',
  'verify-full',
]
const SESSION_ATTRIBUTES: readonly SessionAttributes[] = [
  'any',
  'read-write',
  'read-only',
  'primary',
  'standby',
]
const DEFAULT_PORT = 5432
/** Long enough for a handshake over 4G, short enough for a person who waits. */
const DEFAULT_CONNECT_TIMEOUT_S = 10

/**
 * What libpq would connect to: the URL first, its environment for what the URL leaves open, then
 * its defaults. `url` undefined = environment alone.
 * Throws UsageError, which never repeats the URL because a password may be in it.
 */
export function serverSettings(
  url: string | undefined,
  environment: NodeJS.ProcessEnv,
): ServerSettings {
  const given = url === undefined ? {} : splitUrl(url)
  const value = (parameter: Parameter): string | undefined =>
    given[parameter] || environment[PARAMETERS[parameter]] || undefined
  const user = value('user') ?? systemUser()
  const password = value('password')
  return {
    mode: 'server',
    hosts: hostList(value('host'), value('port')),
    user,
    database: value('dbname') ?? user,
    password: password === undefined ? undefined : new Secret(password),
    passwordFile: value('passfile') ?? defaultPasswordFile(environment),
    tls: tlsSettings(value, environment),
    connectTimeoutMs: connectTimeout(value('connect_timeout')),
    applicationName: value('application_name') ?? 'cleverctl',
    sessionAttributes: oneOf(
      'target_session_attrs',
      value('target_session_attrs') ?? 'any',
      SESSION_ATTRIBUTES,
    ),
    options: value('options'),
  }
}

function systemUser(): string {
  try {
    return userInfo().username
  } catch (cause) {
    throw new UsageError(
      'database-url-invalid',
      'no database user is given and this process has no name',
      {
        suggestions: ['PGUSER=staff'],
        cause,
      },
    )
  }
}

function hostList(host: string | undefined, port: string | undefined): ServerSettings['hosts'] {
  const hosts = (host ?? '').split(',').map((name) => name || defaultHost())
  const ports = (port ?? '').split(',').map((text) => (text === '' ? DEFAULT_PORT : Number(text)))
  if (ports.some((number) => !Number.isInteger(number) || number < 1 || number > 65_535)) {
    throw new UsageError(
      'database-url-invalid',
      'the database port is not a number from 1 to 65535',
    )
  }
  if (ports.length !== 1 && ports.length !== hosts.length) {
    throw new UsageError(
      'database-url-invalid',
      `${ports.length} database ports for ${hosts.length} hosts`,
    )
  }
  return hosts.map((name, index) => ({
    host: name,
    port: ports[index] ?? ports[0] ?? DEFAULT_PORT,
  }))
}

function defaultHost(): string {
  if (process.platform === 'win32') return 'localhost'
  return existsSync('/var/run/postgresql') ? '/var/run/postgresql' : '/tmp'
}

function defaultPasswordFile(environment: NodeJS.ProcessEnv): string {
  if (process.platform === 'win32')
    return join(environment['APPDATA'] || homedir(), 'postgresql', 'pgpass.conf')
  return join(environment['HOME'] || homedir(), '.pgpass')
}

function tlsSettings(
  value: (parameter: Parameter) => string | undefined,
  environment: NodeJS.ProcessEnv,
): ServerSettings['tls'] {
  const folder =
    process.platform === 'win32'
      ? join(environment['APPDATA'] || homedir(), 'postgresql')
      : join(environment['HOME'] || homedir(), '.postgresql')
  const orDefault = (parameter: Parameter, name: string): string | undefined => {
    const file = join(folder, name)
    return value(parameter) ?? (existsSync(file) ? file : undefined)
  }
  const rootCertificate = orDefault('sslrootcert', 'root.crt')
  const mode = oneOf(
    'sslmode',
    value('sslmode') ?? (rootCertificate === 'system' ? 'verify-full' : 'prefer'),
    SSL_MODES,
  )
  if (rootCertificate === 'system' && mode !== 'verify-full') {
    throw new UsageError('tls-invalid', `sslrootcert=system needs sslmode=verify-full, not ${mode}`)
  }
  if (rootCertificate === undefined && (mode === 'verify-ca' || mode === 'verify-full')) {
    throw new UsageError('tls-invalid', `sslmode=${mode} needs a root certificate`, {
      suggestions: ['PGSSLROOTCERT=/etc/cleverctl/ca.pem', 'PGSSLROOTCERT=system'],
    })
  }
  const certificate = orDefault('sslcert', 'postgresql.crt')
  return {
    mode,
    rootCertificate,
    certificate,
    key: certificate === undefined ? undefined : orDefault('sslkey', 'postgresql.key'),
  }
}

function connectTimeout(text: string | undefined): number {
  const seconds = text === undefined ? DEFAULT_CONNECT_TIMEOUT_S : Number(text)
  if (!Number.isInteger(seconds) || seconds < 0) {
    throw new UsageError('database-url-invalid', 'connect_timeout is not a whole number of seconds')
  }
  // libpq: 0 waits for ever, and 1 is rounded up to 2.
  return (seconds === 1 ? 2 : seconds) * 1000
}

function oneOf<Word extends string>(parameter: string, text: string, words: readonly Word[]): Word {
  const word = words.find((candidate) => candidate === text)
  if (word === undefined) {
    throw new UsageError('database-url-invalid', `${parameter} must be one of ${words.join(', ')}`)
  }
  return word
}
