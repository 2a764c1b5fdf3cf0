import { rejects } from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type pg from 'pg'
import { auditAccess } from '../../src/lib/access/audit/audit.js'
import type { AccessAudit } from '../../src/lib/access/audit/types.js'
import { enforceAccess } from '../../src/lib/access/enforce/enforce.js'
import type { Enforcement } from '../../src/lib/access/enforce/types.js'
import { expireAccess, revokeAccess } from '../../src/lib/access/grant/end.js'
import { grantAccess, type Granted } from '../../src/lib/access/grant/grant.js'
import type { GrantOrder } from '../../src/lib/access/grant/order.js'
import { systemClock } from '../../src/lib/clock.js'
import type { Database } from '../../src/lib/database/database.js'
import { fileDelivery } from '../../src/lib/file-delivery.js'
import { addAccount } from '../../src/lib/staff/add.js'
import type { Workspace } from '../../src/lib/workspace.js'
import { byDsn, databaseUrl, HOMELESS, openUrl, testWorkspace } from './database.js'
import { tlsClient } from './login.js'
import { startServer, type TestServer } from './server.js'
import { verdictOf } from './verdict.js'

/** Who is let in. */
export const EMAIL = 'ana@example.com'

/** A server with TLS and a database `fleet`, and a person who may be let in to it from this machine. */
export class GrantFixture {
  readonly server: TestServer
  readonly database: Database
  readonly workspace: Workspace
  readonly folder = mkdtempSync(join(tmpdir(), 'cctl-grant-'))
  #count = 0

  private constructor(server: TestServer, database: Database) {
    this.server = server
    this.database = database
    this.workspace = testWorkspace(database, { clock: systemClock })
  }

  static async start(): Promise<GrantFixture> {
    const server = await startServer({
      settings: ["log_statement = 'all'", 'log_connections = on'],
    })
    const database = await openUrl(databaseUrl(server.cluster, 'cleverctl'))
    await database.query('create database fleet')
    await database.query('revoke connect on database fleet from public')
    const fleet = await openUrl(databaseUrl(server.cluster, 'fleet'), { migrations: 'ignore' })
    await fleet.query('create table plant (code text)')
    await fleet.close()
    return new GrantFixture(server, database)
  }

  /** Another file for the next secret, and the person as at the beginning. */
  async renew(until: string | null = null): Promise<void> {
    this.#count += 1
    await addAccount(this.workspace, {
      ...{ kind: 'staff', handle: EMAIL, description: 'Ana', owner: null, isReplaced: true },
      ...{ roleNames: ['ana'], networks: ['127.0.0.1'], until },
    })
  }

  async stop(): Promise<void> {
    await this.database.close()
    await this.server.stop()
    rmSync(this.folder, { recursive: true })
  }

  /** The superuser's way in, by the unix socket. */
  get dsn(): string {
    return databaseUrl(this.server.cluster, 'cleverctl')
  }

  /** Where the secret goes. */
  get file(): string {
    return join(this.folder, `password-${this.#count}`)
  }

  get password(): string {
    return readFileSync(this.file, 'utf8').trim()
  }

  /** @param given a database by which it is granted, and a file for the secret, where they are not those of the test */
  async grant(
    more: Partial<GrantOrder> = {},
    given: { database?: Database; file?: string } = {},
  ): Promise<Granted> {
    const { database = this.database, file = this.file } = given
    const order: GrantOrder = {
      ...{ email: EMAIL, forMs: 3_600_000, reason: 'ticket 4711', databases: ['fleet'] },
      ...{ isReadOnly: true, method: 'password', servers: byDsn(this.dsn) },
      ...more,
    }
    const delivery = fileDelivery(file)
    return grantAccess({ ...this.workspace, database }, order, { delivery, environment: HOMELESS })
  }

  async expire(by = this.workspace) {
    return expireAccess(by, { environment: HOMELESS })
  }

  async revoke() {
    return revokeAccess(this.workspace, { email: EMAIL, environment: HOMELESS })
  }

  /** The workspace at another time. */
  at(offsetMs: number): Workspace {
    return { ...this.workspace, clock: { now: () => new Date(Date.now() + offsetMs) } }
  }

  /** What an audit of the server finds. */
  async audit(by = this.workspace): Promise<AccessAudit> {
    return auditOf(by, this.dsn)
  }

  /** What becomes of everything that differs from the list. */
  async enforce(): Promise<Enforcement> {
    return enforcedOn(this.workspace, this.dsn)
  }

  /** A session of a granted role over the network. */
  async logIn(role: string, name = 'fleet'): Promise<pg.Client> {
    const proof = { password: this.password }
    const client = tlsClient({ port: this.server.port, role, proof, database: name })
    await client.connect()
    return client
  }

  async isRefused(role: string): Promise<void> {
    await rejects(this.logIn(role), (error: { code?: string }) => /^28/.test(error.code ?? ''))
  }
}

/** What an audit of one server finds. */
export async function auditOf(workspace: Workspace, dsn: string): Promise<AccessAudit> {
  const asked = auditAccess(workspace, {
    ...{ servers: byDsn(dsn), environment: HOMELESS, failOn: 'critical', isProbing: false },
    ...{ sarif: undefined, junit: undefined },
  })
  return (await verdictOf(asked)).result
}

/** What becomes of everything at one server that differs from the list. */
export async function enforcedOn(workspace: Workspace, dsn: string): Promise<Enforcement> {
  const order = { servers: byDsn(dsn), named: [], isUnknownIncluded: false }
  const given = { environment: HOMELESS, approve: async () => true }
  return (await verdictOf(enforceAccess(workspace, order, given))).result
}

/**
 * Starts the fixture of a suite, and gives each of its tests the person as at the beginning and nobody let in.
 * @param prepare gets it before the first test
 */
export function withGrants(prepare: (on: GrantFixture) => void): void {
  let on: GrantFixture | undefined
  before(async () => {
    on = await GrantFixture.start()
    prepare(on)
  })
  beforeEach(async () => on?.renew())
  afterEach(async () => {
    await on?.revoke()
  })
  after(async () => on?.stop())
}
