import type { Client } from 'pg'
import type { Random } from '../../clock.js'
import type { Database } from '../../database/database.js'
import { sqlStateOf } from '../../database/sqlstate.js'
import { Secret } from '../../secret.js'
import { judge, readAll } from '../audit/judge.js'
import { accessList } from '../audit/list.js'
import type { AccessFinding, AccessList } from '../audit/types.js'
import { scramVerifier } from '../scram.js'
import { Cluster, type ClusterNeeds } from './cluster.js'
import {
  cleanRules,
  cleanStatements,
  DECOYS,
  FLEET,
  GRANTS,
  linesOfGrant,
  listOfPeople,
} from './people.js'
import type { Change, SelfTest } from './types.js'

/** The server with which nothing is wrong, but for the libraries that it loads. */
const CLEAN_SETTINGS = [
  'ssl = on',
  "ssl_min_protocol_version = 'TLSv1.2'",
  "ssl_ciphers = 'HIGH:!aNULL:!MD5:!3DES'",
  "password_encryption = 'scram-sha-256'",
  "unix_socket_permissions = '0700'",
  'log_connections = on',
  'log_disconnections = on',
  'log_replication_commands = on',
  "log_statement = 'ddl'",
  'logging_collector = on',
  "log_destination = 'stderr,jsonlog'",
  "log_file_mode = '0600'",
  "log_timezone = 'UTC'",
  "log_line_prefix = '%m [%p] %c %u@%d %r %a '",
]
const LAST_RULE = 'host all all all reject'
/** SQLSTATE of a library that is not there. */
const UNDEFINED_FILE = '58P01'
/** Libraries and the rules that ask for them. */
const LIBRARIES = [
  ['passwordcheck', 'no-password-check'],
  ['auth_delay', 'no-delay'],
  ['pgaudit', 'no-pgaudit'],
] as const

/** The throw-away server in its clean state, and what is done to it. */
export class CleanServer {
  readonly leftOut: SelfTest['leftOut'] = []
  version = 0
  readonly #cluster: Cluster
  readonly #needs: ClusterNeeds
  readonly #list: AccessList
  #fleet: Database

  private constructor(cluster: Cluster, needs: ClusterNeeds, fleet: Database) {
    this.#cluster = cluster
    this.#needs = needs
    this.#fleet = fleet
    this.#list = accessList(
      listOfPeople(cluster.superuser),
      needs.clock.now(),
      Object.values(GRANTS),
      DECOYS,
    )
  }

  /** Starts it. @throws FailureError when no server can be started on this machine */
  static async start(given: ClusterNeeds & { random: Random }): Promise<CleanServer> {
    const cluster = await Cluster.start(CLEAN_SETTINGS, given)
    try {
      return await CleanServer.#prepare(cluster, given)
    } catch (error) {
      await cluster.stop()
      throw error
    }
  }

  static async #prepare(
    cluster: Cluster,
    given: ClusterNeeds & { random: Random },
  ): Promise<CleanServer> {
    const database = await cluster.open('postgres')
    const libraries: string[] = []
    const missing: SelfTest['leftOut'] = []
    for (const [library, rule] of LIBRARIES) {
      if (await hasLibrary(database, library)) libraries.push(library)
      else missing.push({ rule, reason: `this PostgreSQL has no ${library}` })
    }
    if (!(await hasExtension(database, 'dblink')))
      missing.push({ rule: 'outside-extension', reason: 'this PostgreSQL has no dblink' })
    await database.query(`create database ${FLEET}`)
    for (const name of ['postgres', 'template1', FLEET])
      await database.query(`revoke all on database ${name} from public`)
    await database.query('alter database template1 allow_connections false')
    await database.close()
    await cluster.writeRules('pg_ident.conf', [])
    await cluster.writeRules('pg_hba.conf', [
      ...linesOfGrant(GRANTS.byPassword),
      ...cleanRules(cluster.superuser),
      LAST_RULE,
    ])
    await cluster.configure([
      ...CLEAN_SETTINGS,
      `shared_preload_libraries = '${libraries.join(', ')}'`,
      ...(libraries.includes('auth_delay') ? ["auth_delay.milliseconds = '1'"] : []),
      ...(libraries.includes('pgaudit') ? ["pgaudit.log = 'role'"] : []),
    ])
    const server = new CleanServer(cluster, given, await cluster.open(FLEET))
    server.leftOut.push(...missing)
    const password = new Secret(given.random.bytes(18).toString('base64url'))
    for (const statement of cleanStatements(await scramVerifier(password, given.random)))
      await server.#fleet.query(statement)
    return server
  }

  /** Everything that the audit finds now, but for rules that are left out. */
  async audit(): Promise<AccessFinding[]> {
    const database = await this.#cluster.open(FLEET)
    try {
      const reading = await readAll(database, { ...this.#needs, isProbing: false })
      if (!(reading.server instanceof Error)) this.version = reading.server.version
      const { findings, notChecked } = judge('self-test', reading, this.#list)
      const [unread] = notChecked
      if (unread) throw new Error(`a superuser cannot be refused: ${unread.reason}`)
      return findings.filter(({ rule }) => !this.leftOut.some((each) => each.rule === rule))
    } finally {
      await database.close()
    }
  }

  /** The same while a change is made; afterwards the server is clean again. */
  async during(change: Change): Promise<AccessFinding[]> {
    const { sql = [], mend = [], settings = {}, needsRestart = false, session } = change
    let client: Client | undefined
    try {
      for (const statement of sql) await this.#fleet.query(statement)
      await this.#write(change)
      await this.#alter(
        Object.entries(settings).map(([name, value]) => `set ${name} = ${value}`),
        needsRestart,
      )
      if (session) {
        await this.#cluster.reload()
        client = await this.#connect(session)
      }
      return await this.audit()
    } finally {
      await client?.end()
      for (const statement of mend) await this.#fleet.query(statement)
      await this.#write({})
      await this.#alter(
        Object.keys(settings).map((name) => `reset ${name}`),
        needsRestart,
      )
      if (session || change.isUnread) await this.#cluster.reload()
    }
  }

  /** Puts into force what the files say by now. */
  async reload(): Promise<void> {
    await this.#cluster.reload()
  }

  /** Stops it and removes everything. */
  async stop(): Promise<void> {
    try {
      await this.#fleet.close()
    } finally {
      await this.#cluster.stop()
    }
  }

  async #write({ granted, hba = [], ident = [], isOpenEnded, isUnread }: Change): Promise<void> {
    const last = isOpenEnded === true ? [] : [LAST_RULE]
    const ofGrant = granted ?? linesOfGrant(GRANTS.byPassword)
    const rules = [...ofGrant, ...cleanRules(this.#cluster.superuser), ...hba, ...last]
    await this.#cluster.writeRules('pg_ident.conf', ident)
    await this.#cluster.writeRules('pg_hba.conf', rules, isUnread)
  }

  async #alter(changes: readonly string[], needsRestart: boolean): Promise<void> {
    if (changes.length === 0) return
    for (const change of changes) await this.#fleet.query(`alter system ${change}`)
    if (!needsRestart) return this.#cluster.reload()
    await this.#fleet.close()
    await this.#cluster.restart()
    this.#fleet = await this.#cluster.open(FLEET)
  }

  async #connect(session: NonNullable<Change['session']>): Promise<Client> {
    const { default: pg } = await import('pg')
    const { role, isReplication = false, isOverNetwork = false } = session
    const config: ConstructorParameters<typeof pg.Client>[0] & { replication?: string } = {
      host: isOverNetwork ? '127.0.0.1' : this.#cluster.folder,
      port: this.#cluster.port,
      user: role,
      database: FLEET,
      ssl: false,
      ...(isReplication ? { replication: 'true' } : {}),
    }
    const client = new pg.Client(config)
    client.on('error', () => undefined)
    await client.connect()
    return client
  }
}

async function hasLibrary(database: Database, name: string): Promise<boolean> {
  try {
    await database.query(`load '${name}'`)
    return true
  } catch (error) {
    // A library that is there may still refuse to be loaded so late.
    return sqlStateOf(error) !== UNDEFINED_FILE
  }
}

async function hasExtension(database: Database, name: string): Promise<boolean> {
  const found = await database.query('select from pg_available_extensions where name = $1', [name])
  return found.rowCount !== 0
}
