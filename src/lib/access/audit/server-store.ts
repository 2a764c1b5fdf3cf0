import type { QueryResultRow } from 'pg'
import type { Database } from '../../database/database.js'
import { RefusedError } from '../../errors.js'

/** A server by itself. */
export interface ServerRow {
  /** As PostgreSQL counts: 150018. */
  version: number
  isStandby: boolean
  /** The role that looks. */
  auditor: string
}

/** A role of a server. */
export interface RoleRow {
  name: string
  canLogin: boolean
  isSuperuser: boolean
  /** Made by initdb: it can be neither removed nor deprived. */
  isBootstrap: boolean
  canCreateRoles: boolean
  canCreateDatabases: boolean
  canReplicate: boolean
  bypassesRowSecurity: boolean
  /** Connections at once; null: any number. */
  connectionLimit: number | null
  /** Null: never. */
  validUntil: Date | null
}

/** That one role is a member of another. */
export interface Membership {
  member: string
  group: string
  isAdmin: boolean
}

/** How a role's password is kept. */
export interface PasswordRow {
  role: string
  kind: 'none' | 'scram' | 'other'
  canLogin: boolean
}

/** A setting that a role or a database brings along. */
export interface RoleSetting {
  role: string | null
  database: string | null
  setting: string
}

/** A database of a server, and what somebody other than its owner may do with it. */
export interface DatabaseRow {
  name: string
  isOpenToPublic: boolean
  isTemporaryOpen: boolean
  /** Roles that may make schemas in it, without its owner; null: PUBLIC. */
  creators: (string | null)[]
}

/** A right on a setting, which only a superuser has otherwise. */
export interface ParameterGrantRow {
  name: string
  /** Null: PUBLIC. */
  grantee: string | null
  privilege: string
  isGrantable: boolean
}

/** A line of pg_ident.conf: a name outside that may come as a role. */
export interface IdentityRow {
  map: string
  /** Null with an error: the line is not taken. */
  systemName: string | null
  role: string | null
}

/** A replication slot. */
export interface SlotRow {
  name: string
  isActive: boolean
  /** What writes its changes down; null where the slot is physical. */
  plugin: string | null
}

/** A connection that stands now. */
export interface SessionRow {
  pid: number
  role: string
  database: string | null
  /** Null: by the unix socket. */
  address: string | null
  isEncrypted: boolean
  isReplication: boolean
}

/**
 * Rows of a statement, in a read-only transaction of its own. Names mean what is PostgreSQL's own, also over the
 * connection of the cleverctl database.
 */
export async function select<Row extends QueryResultRow>(
  database: Database,
  statement: string,
): Promise<Row[]> {
  return database.transaction(async (transaction) => {
    await transaction.query('set transaction read only; set local search_path = pg_catalog')
    return (await transaction.query<Row>(statement)).rows
  })
}

/** Throws RefusedError for a role that would be shown a part of what it asks, as if that were all. */
async function requireMember(database: Database, group: string): Promise<void> {
  const [row] = await select<{ isMember: boolean }>(
    database,
    `select pg_has_role(session_user, '${group}', 'usage') as "isMember"`,
  )
  if (row?.isMember !== true)
    throw new RefusedError('privilege-missing', `the role is no member of ${group}`)
}

/** The server itself. */
export async function selectServer(database: Database): Promise<ServerRow> {
  const [row] = await select<ServerRow>(
    database,
    `select current_setting('server_version_num')::int as version,
       pg_is_in_recovery() as "isStandby", session_user as auditor`,
  )
  if (!row) throw new Error('the server says nothing about itself')
  return row
}

/** The settings by name, as this session has them. */
export async function selectSettings(database: Database): Promise<Map<string, string>> {
  await requireMember(database, 'pg_read_all_settings')
  const rows = await select<{ name: string; setting: string }>(
    database,
    'select name, setting from pg_settings',
  )
  return new Map(rows.map(({ name, setting }) => [name, setting]))
}

/** All roles but those of PostgreSQL itself; an end that no Date can hold is given as the nearest year that one can. */
export async function selectRoles(database: Database): Promise<RoleRow[]> {
  return select<RoleRow>(
    database,
    `select rolname as name, rolcanlogin as "canLogin", rolsuper as "isSuperuser",
       oid = 10 as "isBootstrap", rolcreaterole as "canCreateRoles",
       rolcreatedb as "canCreateDatabases", rolreplication as "canReplicate",
       rolbypassrls as "bypassesRowSecurity", nullif(rolconnlimit, -1) as "connectionLimit",
       case when rolvaliduntil < 'infinity'
         then least(greatest(rolvaliduntil, '0001-01-01Z'), '9999-12-31Z') end as "validUntil"
     from pg_roles where rolname !~ '^pg_' order by rolname`,
  )
}

/** Who is a member of what, directly. */
export async function selectMemberships(database: Database): Promise<Membership[]> {
  return select<Membership>(
    database,
    `select member.rolname as member, of.rolname as "group", bool_or(admin_option) as "isAdmin"
     from pg_auth_members as m
     join pg_roles as member on member.oid = m.member join pg_roles as of on of.oid = m.roleid
     group by member.rolname, of.rolname order by member.rolname, of.rolname`,
  )
}

/** What the kind of a role's password is, from pg_authid, which only superusers may read. */
export const PASSWORD_KINDS = `select rolname as role, case when rolpassword is null then 'none'
       when rolpassword like 'SCRAM-SHA-256$%' then 'scram' else 'other' end as kind,
       rolcanlogin as "canLogin"
     from pg_catalog.pg_authid`

/** The view that shows the same to an auditor who is no superuser; `access prepare` makes it. */
export const PASSWORD_VIEW = 'cleverctl_audit.password'

/** How the passwords of roles are kept; never a password nor its hash. */
export async function selectPasswords(database: Database): Promise<PasswordRow[]> {
  const [view] = await select<{ isUsed: boolean }>(
    database,
    `select not has_table_privilege('pg_authid', 'select') and to_regclass('${PASSWORD_VIEW}') is not null as "isUsed"`,
  )
  const source = view?.isUsed === true ? `select * from ${PASSWORD_VIEW}` : PASSWORD_KINDS
  return select<PasswordRow>(database, `${source} order by role`)
}

/** Settings that roles and databases bring along. */
export async function selectRoleSettings(database: Database): Promise<RoleSetting[]> {
  return select<RoleSetting>(
    database,
    `select role.rolname as role, datname as database, setting
     from pg_db_role_setting cross join unnest(setconfig) as setting
     left join pg_roles as role on role.oid = setrole
     left join pg_database on pg_database.oid = setdatabase order by 1, 2, 3`,
  )
}

/** Databases to which connections are allowed. */
export async function selectDatabases(database: Database): Promise<DatabaseRow[]> {
  return select<DatabaseRow>(
    database,
    `select datname as name, 'CONNECT' = any(open) as "isOpenToPublic", 'TEMPORARY' = any(open) as "isTemporaryOpen",
       creators
     from pg_database cross join lateral (
       select coalesce(array_agg(privilege_type) filter (where grantee = 0), '{}') as open,
         coalesce(array_agg(rolname::text order by rolname)
           filter (where privilege_type = 'CREATE' and grantee <> datdba), '{}') as creators
       from aclexplode(coalesce(datacl, acldefault('d', datdba)))
       left join pg_roles as role on role.oid = grantee) as granted
     where datallowconn order by datname`,
  )
}

/** Rights on settings. */
export async function selectParameterGrants(database: Database): Promise<ParameterGrantRow[]> {
  return select<ParameterGrantRow>(
    database,
    `select parname as name, rolname as grantee, privilege_type as privilege,
       granted.is_grantable as "isGrantable"
     from pg_parameter_acl cross join lateral aclexplode(paracl) as granted
     left join pg_roles as role on role.oid = granted.grantee
     -- Settings belong to the role that the server was made with.
     where granted.grantee <> 10 order by parname, rolname, privilege_type`,
  )
}

/** Connections of clients, replication too; without the auditor's own. */
export async function selectSessions(database: Database): Promise<SessionRow[]> {
  await requireMember(database, 'pg_read_all_stats')
  return select<SessionRow>(
    database,
    `select activity.pid, usename as role, datname as database, host(client_addr) as address,
       coalesce(ssl, false) as "isEncrypted", backend_type = 'walsender' as "isReplication"
     from pg_stat_activity as activity left join pg_stat_ssl using (pid)
     where usename is not null and backend_type in ('client backend', 'walsender')
       and activity.pid <> pg_backend_pid() order by pid`,
  )
}

/** The lines of pg_ident.conf. */
export async function selectIdentities(database: Database): Promise<IdentityRow[]> {
  return select<IdentityRow>(
    database,
    `select map_name as map, sys_name as "systemName", pg_username as role
     from pg_ident_file_mappings order by line_number`,
  )
}

/** Slots that keep what a consumer has not yet fetched. */
export async function selectSlots(database: Database): Promise<SlotRow[]> {
  return select<SlotRow>(
    database,
    'select slot_name as name, active as "isActive", plugin from pg_replication_slots order by slot_name',
  )
}
