import { chmodSync, chownSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { freePort } from '../../src/lib/free-port.js'
import { migrateJobQueue } from '../../src/lib/database/job-queue.js'
import { migrate } from '../../src/lib/database/migrate.js'
import { CertificateAuthority } from './certificates.js'
import { serverAccount, startCluster, uniqueName } from './cluster.js'
import type { Cluster } from './cluster.js'
import { openUrl, silentLog } from './database.js'

/** The login roles: `owner` owns the database and may create roles; the others are members of cleverctl_<name>. */
export type ServerRole = 'owner' | 'staff' | 'gate' | 'auditor'

const ROLES: readonly ServerRole[] = ['owner', 'staff', 'gate', 'auditor']
const DATABASE = 'cleverctl'

/** A PostgreSQL server as in production, for one test file. */
export interface TestServer {
  cluster: Cluster
  port: number
  /** PEM of the authority that signed the server's certificate; undefined without TLS. */
  rootCertificate: string | undefined
  /** Everything a command needs to log in as `role`: libpq's variables, the password in a PGPASSFILE. */
  environment(role: ServerRole): Record<string, string>
  /** The same as one URL; the password is in it, so it is for CLEVERCTL_DATABASE_URL only. */
  url(role: ServerRole): string
  /** Runs statements as the superuser over the unix socket. */
  administer(statement: string, values?: unknown[]): Promise<pg.QueryResult>
  stop(): Promise<void>
}

/**
 * Starts a throw-away server on a free port of localhost with a database `cleverctl`.
 * @param given.tls a certificate for localhost (and 127.0.0.1); plain text is then refused. Default true.
 * @param given.scram passwords, as SCRAM-SHA-256; else whoever comes is trusted. Default true.
 * @param given.roles migrate as `owner` and make the logins members of their group roles. Default true;
 * with false only the login roles exist.
 */
export async function startServer(
  given: { tls?: boolean; scram?: boolean; roles?: boolean; settings?: readonly string[] } = {},
): Promise<TestServer> {
  const { tls = true, scram = true, roles = true, settings = [] } = given
  const authority = tls ? new CertificateAuthority() : undefined
  const port = await freePort()
  const cluster = await startCluster({
    port,
    settings: [
      "listen_addresses = 'localhost'",
      "password_encryption = 'scram-sha-256'",
      ...(tls ? ['ssl = on', "ssl_cert_file = 'server.pem'", "ssl_key_file = 'server.key'"] : []),
      ...settings,
    ],
    hba: [
      'local all postgres trust',
      `${tls ? 'hostssl' : 'host'} all all all ${scram ? 'scram-sha-256' : 'trust'}`,
    ],
    prepare: (data) => {
      if (authority) installCertificate(authority, data)
    },
  })
  const files = mkdtempSync(join(tmpdir(), 'cctl-login-'))
  const passwords = new Map(ROLES.map((role) => [role, uniqueName('password')]))
  const server: TestServer = {
    cluster,
    port,
    rootCertificate: authority?.certificate,
    environment: (role) => ({
      PGHOST: 'localhost',
      PGPORT: String(port),
      PGUSER: role,
      PGDATABASE: DATABASE,
      PGPASSFILE: join(files, 'pgpass'),
      PGSSLMODE: tls ? 'verify-full' : 'disable',
      ...(authority ? { PGSSLROOTCERT: authority.certificate } : {}),
    }),
    url: (role) =>
      `postgres://${role}:${passwords.get(role)}@localhost:${port}/${DATABASE}?sslmode=` +
      (authority
        ? `verify-full&sslrootcert=${encodeURIComponent(authority.certificate)}`
        : 'disable'),
    administer: (statement, values) => asSuperuser(cluster, statement, values),
    stop: async () => {
      await cluster.stop()
      rmSync(files, { recursive: true, force: true })
      authority?.remove()
    },
  }
  const lines = ROLES.map((role) => `localhost:${port}:*:${role}:${passwords.get(role)}\n`)
  writeFileSync(join(files, 'pgpass'), lines.join(''), { mode: 0o600 })
  for (const role of ROLES) {
    const rights = role === 'owner' ? 'createrole' : ''
    await server.administer(`create role ${role} login ${rights} password '${passwords.get(role)}'`)
  }
  await server.administer(`create database ${DATABASE} owner owner`)
  if (roles) await migrateAndGrant(server)
  return server
}

async function migrateAndGrant(server: TestServer): Promise<void> {
  const database = await openUrl(server.url('owner'), { migrations: 'ignore' })
  await migrate(database, silentLog)
  await migrateJobQueue(database)
  await database.close()
  for (const role of ROLES.filter((name) => name !== 'owner')) {
    await server.administer(`grant cleverctl_${role} to ${role}`)
  }
}

function installCertificate(authority: CertificateAuthority, data: string): void {
  const { uid, gid } = serverAccount()
  const issued = authority.issue('localhost', ['DNS:localhost', 'IP:127.0.0.1'])
  for (const [from, name] of [
    [issued.certificate, 'server.pem'],
    [issued.key, 'server.key'],
  ] as const) {
    const to = join(data, name)
    copyFileSync(from, to)
    chmodSync(to, 0o600)
    if (uid !== undefined && gid !== undefined) chownSync(to, uid, gid)
  }
}

async function asSuperuser(
  cluster: Cluster,
  statement: string,
  values?: unknown[],
): Promise<pg.QueryResult> {
  const isOfCluster = /^\s*(?:create|drop|alter) (?:role|database)/i.test(statement)
  const client = new pg.Client({
    host: cluster.socketFolder,
    port: cluster.port,
    user: 'postgres',
    database: isOfCluster ? 'postgres' : DATABASE,
    ssl: false,
  })
  await client.connect()
  try {
    return await client.query(statement, values)
  } finally {
    await client.end()
  }
}
