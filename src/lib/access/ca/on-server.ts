import { X509Certificate } from 'node:crypto'
import { StatementError } from '../../database/statement-error.js'
import type { Database } from '../../database/database.js'
import { ConflictError, FailureError } from '../../errors.js'
import { changeServerFile } from '../server-file/change.js'
import { readServerFile, whileFilesStay } from '../server-file/file.js'
import type { Workspace } from '../../workspace.js'
import { serialOf, type Authority } from './authority.js'
import { withRevocations } from './revocations.js'
import { selectTls } from './server-store.js'

interface Server {
  host: string
  database: Database
}

/**
 * Sees that a server takes certificates of an authority: it has TLS, and ssl_ca_file holds the authority.
 * @throws ConflictError where it does not, or where that may not be read
 */
export async function requireTrust(
  { host, database }: Server,
  { certificate }: Pick<Authority, 'certificate'>,
): Promise<void> {
  const { isOn, authorities } = await selectTls(database)
  if (!isOn)
    throw new ConflictError(
      'no-tls',
      `${host} has no TLS, and a certificate is shown over TLS alone`,
      { suggestions: ['set ssl, ssl_cert_file and ssl_key_file there'] },
    )
  const text = authorities === null ? '' : await readAuthorities(host, database)
  const { fingerprint256 } = new X509Certificate(certificate)
  if (certificatesIn(text).some((each) => each.fingerprint256 === fingerprint256)) return
  const where = authorities === null ? 'ssl_ca_file is not set' : `it is not in ${authorities}`
  throw new ConflictError(
    'ca-not-trusted',
    `${host} does not trust the client authority: ${where}`,
    { suggestions: ['cleverctl access ca show says what the server needs'] },
  )
}

/**
 * Says to a server which certificates do not hold any more, by its ssl_crl_file; lists of other authorities stay in
 * it. The same call again finishes what was interrupted.
 * @param certificates PEM
 * @returns false where the server asks for no such list
 * @throws FailureError where the list cannot be written
 */
export async function revokeOnServer(
  { host, database }: Server,
  authority: Authority,
  given: { certificates: readonly string[]; now: Date } & Pick<Workspace, 'log' | 'signal'>,
): Promise<boolean> {
  if ((await selectTls(database)).revocations === null) return false
  const { certificates, now, log, signal } = given
  const serials = certificates.map(serialOf)
  const rewrite = async (text: string) => withRevocations(text, authority, { serials, now })
  const change = { setting: 'ssl_crl_file', rewrite, log, signal } as const
  try {
    const why = await whileFilesStay(database, (client) =>
      changeServerFile(client, { host, database }, change),
    )
    if (why !== undefined) throw notWritten(host, why)
  } catch (error) {
    if (!(error instanceof StatementError)) throw error
    throw notWritten(host, error.message)
  }
  return true
}

function notWritten(host: string, reason: string): FailureError {
  return new FailureError(
    'revocations-not-written',
    `ssl_crl_file of ${host} is not changed: ${reason}`,
    { suggestions: ['let the server own the file and its folder'] },
  )
}

async function readAuthorities(host: string, database: Database): Promise<string> {
  try {
    return (await readServerFile(database, 'ssl_ca_file')).text
  } catch (error) {
    if (!(error instanceof StatementError)) throw error
    throw new ConflictError(
      'ca-not-trusted',
      `whether ${host} trusts the client authority cannot be read from its ssl_ca_file: ${error.message}`,
      { suggestions: ['name a superuser in --dsn; PGPASSFILE has its password'] },
    )
  }
}

function certificatesIn(text: string): X509Certificate[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g) ?? []
  return blocks.flatMap((block) => {
    try {
      return [new X509Certificate(block)]
    } catch {
      // OpenSSL skips what it cannot read, too.
      return []
    }
  })
}
