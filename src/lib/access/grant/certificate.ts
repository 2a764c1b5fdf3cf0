import { replaceFile } from '../../sink/replace-file.js'
import { fileExists } from '../../new-secret-file.js'
import type { Workspace } from '../../workspace.js'
import { newKeyPair, type Authority } from '../ca/authority.js'
import { requireTrust, revokeOnServer } from '../ca/on-server.js'
import { openCa } from '../ca/open.js'
import { selectRevoked } from '../ca/store.js'
import type { OpenServer } from './servers.js'
import type { GrantRow } from './store.js'

/** The trial at the end needs moments. */
const TRIAL_MS = 5 * 60_000

/** What a login over TLS is tried with; both PEM. */
export interface TlsLogin {
  cert: string
  key: string
}

/**
 * The authority for a grant by certificate, seen to be trusted by every server; undefined for one by password.
 * @throws NotFoundError where there is no authority, ConflictError for a server that does not trust it
 */
export async function trustedAuthority(
  workspace: Workspace,
  { method }: Pick<GrantRow, 'method'>,
  servers: readonly OpenServer[],
): Promise<Authority | undefined> {
  if (method === 'password') return undefined
  const authority = await openCa(workspace, workspace.database)
  for (const server of servers) await requireTrust(server, authority)
  return authority
}

/** Signs the certificate of a grant: it ends with the grant, at the latest. @returns PEM */
export async function signCertificate(
  authority: Authority,
  { role, verifier, endsAt }: Pick<GrantRow, 'role' | 'verifier' | 'endsAt'>,
  now: Date,
): Promise<string> {
  const publicKey = Buffer.from(verifier ?? '', 'base64')
  return authority.sign({ role, publicKey, from: now, until: endsAt })
}

/** Tells a server of all certificates that do not hold any more; see {@link revokeOnServer}. */
export async function refuseFormer(
  { database, clock, log, signal }: Workspace,
  server: OpenServer,
  authority: Authority,
): Promise<boolean> {
  const now = clock.now()
  const certificates = await selectRevoked(database, now)
  return revokeOnServer(server, authority, { certificates, now, log, signal })
}

/** A certificate for the same role as that of a grant, whose key nobody here has; for a login that must fail. */
export async function trialCertificate(
  authority: Authority,
  { role, grantedAt }: Pick<GrantRow, 'role' | 'grantedAt'>,
  now: Date,
): Promise<TlsLogin> {
  const { pem: key, spki: publicKey } = await newKeyPair()
  const until = new Date(now.getTime() + TRIAL_MS)
  return { key, cert: await authority.sign({ role, publicKey, from: grantedAt, until }) }
}

/**
 * Puts a certificate in its file, readable by all.
 * @throws ConflictError where another file is there
 */
export async function deliverCertificate(path: string, certificate: string): Promise<void> {
  const text = `${certificate.trim()}\n`
  await replaceFile(
    path,
    (former) => {
      if (former !== undefined && former.toString('utf8') !== text) throw fileExists(path)
      return text
    },
    0o644,
  )
}
