import { UsageError } from '../errors.js'

/** URL parameter → libpq's environment variable. A parameter that is not here is refused, as libpq does. */
export const PARAMETERS = {
  host: 'PGHOST',
  port: 'PGPORT',
  user: 'PGUSER',
  password: 'PGPASSWORD',
  dbname: 'PGDATABASE',
  passfile: 'PGPASSFILE',
  sslmode: 'PGSSLMODE',
  sslrootcert: 'PGSSLROOTCERT',
  sslcert: 'PGSSLCERT',
  sslkey: 'PGSSLKEY',
  connect_timeout: 'PGCONNECT_TIMEOUT',
  application_name: 'PGAPPNAME',
  target_session_attrs: 'PGTARGETSESSIONATTRS',
  options: 'PGOPTIONS',
} as const

/** A name in a database URL's query. */
export type Parameter = keyof typeof PARAMETERS

/** Whether a database URL carries a password, in its user part or as a parameter. */
export function hasPassword(url: string): boolean {
  return splitUrl(url).password !== undefined
}

/**
 * Takes a URL apart by libpq's grammar, which allows several `host:port` where the web's does not.
 * Throws UsageError, which never repeats the URL because a password may be in it.
 */
export function splitUrl(url: string): Partial<Record<Parameter, string>> {
  const match =
    /^postgres(?:ql)?:\/\/(?:([^@/?#]*)@)?([^/?#]*)(?:\/([^?#/@]*))?(?:\?([^#]*))?$/.exec(url)
  if (!match) {
    throw new UsageError(
      'database-url-invalid',
      'the database URL is not postgres://[user@]host[:port]/name',
      {
        suggestions: ['postgres://staff@db.example.com:5432/cleverctl?sslmode=verify-full'],
      },
    )
  }
  const [, login = '', authority = '', name = '', query = ''] = match
  const [user = '', ...password] = login.split(':')
  const places = authority === '' ? [] : authority.split(',').map(splitHost)
  const parts: Partial<Record<Parameter, string>> = {
    user: decode(user),
    dbname: decode(name),
    host: places.map(({ host }) => host).join(','),
    port: places.some(({ port }) => port !== '') ? places.map(({ port }) => port).join(',') : '',
  }
  if (password.length > 0) parts.password = decode(password.join(':'))
  for (const [parameter, value] of new URLSearchParams(query.replaceAll('+', '%2B'))) {
    if (!isParameter(parameter)) {
      throw new UsageError(
        'database-url-invalid',
        'the database URL has a parameter that is not supported',
        {
          suggestions: [`supported are ${Object.keys(PARAMETERS).join(', ')}`],
        },
      )
    }
    parts[parameter] = value
  }
  return parts
}

function isParameter(name: string): name is Parameter {
  return Object.hasOwn(PARAMETERS, name)
}

function splitHost(place: string): { host: string; port: string } {
  const match = /^(\[[^\]]*\]|[^:[\]@]*)(?::(\d*))?$/.exec(place)
  if (!match)
    throw new UsageError('database-url-invalid', 'the database URL has a host that is not valid')
  return { host: decode(match[1] ?? '').replace(/^\[(.*)\]$/, '$1'), port: match[2] ?? '' }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new UsageError(
      'database-url-invalid',
      'the database URL has a % that is not followed by two hex digits',
    )
  }
}
