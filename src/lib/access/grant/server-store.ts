import type { Database } from '../../database/database.js'
import { quoteLiteral, quoteName } from '../audit/types.js'
import { GRANTED_GROUP } from './types.js'

const CONNECTIONS = 4

/** What must be known of a server before anything is granted there. */
export interface ServerStanding {
  isStandby: boolean
  isSuperuser: boolean
  hasPgaudit: boolean
  databases: string[]
}

/** Reads it. */
export async function selectStanding(database: Database): Promise<ServerStanding> {
  const { rows } = await database.query<ServerStanding>(
    `select pg_is_in_recovery() as "isStandby", rolsuper as "isSuperuser",
       case when rolsuper then current_setting('shared_preload_libraries') ~ '\\mpgaudit\\M' else false end
         as "hasPgaudit",
       array(select datname::text from pg_database where datallowconn and not datistemplate order by datname)
         as databases
     from pg_roles where rolname = current_user`,
  )
  if (!rows[0]) throw new Error('the server says nothing about itself')
  return rows[0]
}

/** Which database a connection leads to: of which cluster, and its name. */
export async function selectIdentity(
  database: Database,
): Promise<{ cluster: string; name: string }> {
  const { rows } = await database.query<{ cluster: string; name: string }>(
    'select system_identifier::text as cluster, current_database() as name from pg_control_system()',
  )
  if (!rows[0]) throw new Error('the server says nothing about itself')
  return rows[0]
}

/** A login as it is to be made. */
export interface Login {
  role: string
  /** Of its password; null: it has none. */
  verifier: string | null
  endsAt: Date
  databases: readonly string[]
  isReadOnly: boolean
  hasPgaudit: boolean
  /** Said in the server's catalog beside the role. */
  comment: string
}

/**
 * Makes a login, all of it or nothing; made already, nothing is changed. What the server sees of the password is
 * the verifier.
 */
export async function createLogin(database: Database, login: Login): Promise<void> {
  const { role, verifier, endsAt, databases, isReadOnly, hasPgaudit, comment } = login
  const [name, group] = [quoteName(role), quoteName(GRANTED_GROUP)]
  const password = verifier === null ? '' : ` password ${quoteLiteral(verifier)}`
  await database.transaction(async (transaction) => {
    const run = async (statement: string) => transaction.query(statement)
    // Two runs at once: one waits for the other and finds the work done.
    await transaction.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [
      GRANTED_GROUP,
    ])
    const known = await transaction.query<{ name: string }>(
      'select rolname as name from pg_roles where rolname in ($1, $2)',
      [role, GRANTED_GROUP],
    )
    const names = known.rows.map((row) => row.name)
    if (names.includes(role)) return
    if (!names.includes(GRANTED_GROUP)) await run(`create role ${group} nologin`)
    await run(
      `create role ${name} login connection limit ${CONNECTIONS}${password} ` +
        `valid until ${quoteLiteral(endsAt.toISOString())} in role ${group}, pg_read_all_data` +
        (isReadOnly ? '' : ', pg_write_all_data'),
    )
    await run(`comment on role ${name} is ${quoteLiteral(comment)}`)
    if (isReadOnly) await run(`alter role ${name} set default_transaction_read_only = on`)
    if (hasPgaudit) await run(`alter role ${name} set pgaudit.log = 'all'`)
    for (const each of databases)
      await run(`grant connect on database ${quoteName(each)} to ${name}`)
  })
}

/** Closes a login for good: no login, no password, no rights of a group. A role that is not there is closed. */
export async function closeLogin(database: Database, role: string): Promise<void> {
  const name = quoteName(role)
  await database.transaction(async (transaction) => {
    await transaction.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [
      GRANTED_GROUP,
    ])
    const { rowCount } = await transaction.query('select from pg_roles where rolname = $1', [role])
    if (rowCount === 0) return
    await transaction.query(`alter role ${name} nologin connection limit 0 password null`)
    const groups = await transaction.query<{ name: string }>(
      `select role.rolname as name from pg_auth_members join pg_roles as role on role.oid = roleid
       where member = (select oid from pg_roles where rolname = $1)`,
      [role],
    )
    for (const group of groups.rows)
      await transaction.query(`revoke ${quoteName(group.name)} from ${name}`)
  })
}

/** Ends the sessions of a role. @returns how many were there */
export async function endSessions(database: Database, role: string): Promise<number> {
  const { rowCount } = await database.query(
    'select pg_terminate_backend(pid, 1000) from pg_stat_activity where usename = $1',
    [role],
  )
  return rowCount ?? 0
}

/** Whether a role can log in, as this server knows it; false where there is none. */
export async function canLogIn(database: Database, role: string): Promise<boolean> {
  const { rowCount } = await database.query(
    'select from pg_roles where rolname = $1 and rolcanlogin',
    [role],
  )
  return rowCount !== 0
}
