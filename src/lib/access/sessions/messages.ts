/** What `connection received` says. Host is an IP address, or a name with log_hostname; null: the unix socket. */
export function readReceived(message: string): { address: string | null } | undefined {
  const [, host] = /^connection received: host=(\S+)(?: port=\S+)?$/.exec(message) ?? []
  return host === undefined ? undefined : { address: host === '[local]' ? null : host }
}

/** What `connection authenticated` says. The identity may hold anything; the rule at the end tells where it is over. */
export function readAuthenticated(
  message: string,
): { identity: string; method: string; rule: string } | undefined {
  const [, identity, method, rule] =
    /^connection authenticated: identity="(.*)" method=([a-z0-9-]+) \((.*:\d+)\)$/s.exec(message) ??
    []
  return identity === undefined || method === undefined || rule === undefined
    ? undefined
    : { identity, method, rule }
}

/** What `connection authorized` says. */
export interface Authorized {
  user: string
  database: string | null
  application: string | null
  tls: string | null
  isReplication: boolean
  /** Whether the names can be read in another way too. */
  isAmbiguous: boolean
}

const TLS = / SSL enabled \(protocol=([^(),]+), cipher=[^(),]+, bits=\d+\)$/
const GSS = / GSS \((?:authenticated|encrypted|deleg_credentials|principal)=[^()]*\)$/
const APPLICATION = ' application_name='
const DATABASE = ' database='

/**
 * Reads `connection authorized`, from the right: the name of the application is whatever the client says, and may look
 * like the rest of the line.
 * @param names user and database, where the log has them in fields of their own
 */
export function readAuthorized(
  message: string,
  names: { user: string | undefined; database: string | undefined },
): Authorized | undefined {
  const [lead, isReplication] = /^(replication )?connection authorized: user=/.exec(message) ?? []
  if (lead === undefined) return undefined
  const tls = TLS.exec(message.replace(GSS, ''))
  const end = tls ? tls.index : message.replace(GSS, '').length
  const rest = message.slice(lead.length, end)
  const common = { tls: tls?.[1] ?? null, isReplication: isReplication !== undefined }
  const { user, database } = names
  if (user !== undefined && rest.startsWith(user)) {
    const told = isReplication === undefined ? `${DATABASE}${database ?? ''}` : ''
    const behind = rest.slice(user.length)
    if (behind === told || behind.startsWith(`${told}${APPLICATION}`)) {
      const application = behind.slice(told.length + APPLICATION.length)
      return {
        ...common,
        user,
        database: isReplication === undefined ? (database ?? '') : null,
        application: application === '' ? null : application,
        isAmbiguous: false,
      }
    }
  }
  return { ...common, ...splitNames(rest, isReplication !== undefined) }
}

/** Names that are told apart by the words between them alone. */
function splitNames(
  rest: string,
  isReplication: boolean,
): Pick<Authorized, 'user' | 'database' | 'application' | 'isAmbiguous'> {
  const word = isReplication ? APPLICATION : DATABASE
  const at = rest.indexOf(word)
  const user = at === -1 ? rest : rest.slice(0, at)
  const behind = at === -1 ? '' : rest.slice(at + word.length)
  // A database may be called what one likes; a second such word may belong to the name of the user.
  const isAmbiguous = isReplication ? false : at === -1 || behind.includes(word)
  if (isReplication) return { user, database: null, application: behind || null, isAmbiguous }
  const applicationAt = behind.indexOf(APPLICATION)
  if (applicationAt === -1) return { user, database: behind, application: null, isAmbiguous }
  return {
    user,
    database: behind.slice(0, applicationAt),
    application: behind.slice(applicationAt + APPLICATION.length) || null,
    isAmbiguous: isAmbiguous && behind.slice(0, applicationAt).includes(word),
  }
}

/** How long a session was, in milliseconds, by `disconnection`. */
export function readDisconnection(message: string): { ms: number } | undefined {
  const [, hours, minutes, seconds] =
    /^disconnection: session time: (\d+):(\d\d):(\d\d\.\d{3}) user=/.exec(message) ?? []
  if (hours === undefined) return undefined
  return { ms: Math.round((Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000) }
}

/** The rule that refused somebody, by the detail of the refusal. */
export function readRule(detail: string): string | undefined {
  const [, file, line] =
    /^Connection matched (?:file "(.*?)"|pg_hba\.conf) line (\d+): /.exec(detail) ?? []
  return line === undefined ? undefined : `${file ?? 'pg_hba.conf'}:${line}`
}

/** Whether a fatal error keeps somebody out, rather than ending what had begun. */
export function isRefusal(message: string, display: string | undefined): boolean {
  if (display) return display === 'authentication' || display === 'startup'
  return !/^(?:terminating |connection to client lost|canceling |could not (?:send|receive) data)/.test(
    message,
  )
}
