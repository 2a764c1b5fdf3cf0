import type { Database } from '../../database/database.js'
import { REFERENCE } from '../canary/types.js'
import { select } from './server-store.js'

/** A right that somebody other than the owner has, and that PostgreSQL or an extension did not bring along. */
export interface GrantRow {
  kind: 'schema' | 'table' | 'sequence' | 'function' | 'large object'
  /** As SQL has it. */
  name: string
  /** Null: PUBLIC. */
  grantee: string | null
  privilege: string
  isGrantable: boolean
}

/** A right that PUBLIC will have on what a role makes. */
export interface DefaultPrivilegeRow {
  owner: string
  /** Null: in every schema. */
  schema: string | null
  kind: 'tables' | 'sequences' | 'functions' | 'types' | 'schemas'
  privilege: string
}

/** A function that runs with the rights of its owner. */
export interface DefinerRow {
  name: string
  /** Whether it brings its search_path along. */
  isPinned: boolean
  /** Whether everybody may call it. */
  isPublic: boolean
}

/** Something that stands in a database by its name, with its owner. */
export interface OwnedRow {
  name: string
  owner: string
}

/** A table with a comment such as decoys have, and how often it was read. */
export interface DecoyRow {
  name: string
  /** The comment. */
  reference: string
  reads: number
  /** Null where it was not read, and before PostgreSQL 16. */
  lastReadAt: string | null
}

/** What an owner has. */
export interface OwnerRow {
  role: string
  count: number
  example: string
}

/** The first id of what did not come with PostgreSQL, also where it stands in a schema of PostgreSQL's. */
const FIRST_OWN_ID = 16_384

/** Rights on schemas, tables, sequences, functions and large objects beyond those that PostgreSQL and extensions bring along. */
export async function selectGrants(database: Database): Promise<GrantRow[]> {
  return select<GrantRow>(
    database,
    `with object as (
       select 'schema' as kind, 'pg_namespace'::regclass as class, oid, quote_ident(nspname) as name,
         nspowner as owner, nspacl as acl
       from pg_namespace where nspacl is not null
       union all
       select case relkind when 'S' then 'sequence' else 'table' end, 'pg_class'::regclass, oid,
         oid::regclass::text, relowner, relacl
       from pg_class where relacl is not null and relkind in ('r', 'p', 'v', 'm', 'f', 'S')
         -- Made open to all, and not noted as such by PostgreSQL.
         and (relnamespace <> 'information_schema'::regnamespace or oid >= ${FIRST_OWN_ID})
       union all
       select 'function', 'pg_proc'::regclass, oid, oid::regprocedure::text, proowner, proacl
       from pg_proc where proacl is not null
       union all
       select 'large object', 'pg_largeobject'::regclass, oid, oid::text, lomowner, lomacl
       from pg_largeobject_metadata where lomacl is not null),
     initial as (
       select objoid, classoid, right_of.grantee, right_of.privilege_type, right_of.is_grantable
       from pg_init_privs cross join lateral aclexplode(initprivs) as right_of where objsubid = 0)
     select kind, name, rolname as grantee, privilege_type as privilege, granted.is_grantable as "isGrantable"
     from object cross join lateral aclexplode(acl) as granted
     left join pg_roles as role on role.oid = granted.grantee
     where granted.grantee <> owner and not exists (
       select from initial where objoid = object.oid and classoid = class
         and initial.grantee = granted.grantee and initial.privilege_type = granted.privilege_type
         and initial.is_grantable = granted.is_grantable)
     order by kind, name, rolname, privilege_type`,
  )
}

/** What PUBLIC will be given on objects that are made, beyond what PostgreSQL gives it anyway. */
export async function selectDefaultPrivileges(database: Database): Promise<DefaultPrivilegeRow[]> {
  return select<DefaultPrivilegeRow>(
    database,
    `select rolname as owner, nspname as schema, privilege_type as privilege,
       case defaclobjtype when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions'
         when 'T' then 'types' else 'schemas' end as kind
     from pg_default_acl cross join lateral aclexplode(defaclacl) as granted
     join pg_roles as role on role.oid = defaclrole
     left join pg_namespace on pg_namespace.oid = defaclnamespace
     where granted.grantee = 0 and (defaclobjtype not in ('f', 'T') or defaclnamespace <> 0)
     order by 1, 2, 3, 4`,
  )
}

/** Functions that run with the rights of their owners, without those that came with PostgreSQL. */
export async function selectDefiners(database: Database): Promise<DefinerRow[]> {
  return select<DefinerRow>(
    database,
    `select pg_proc.oid::regprocedure::text as name,
       exists (select from unnest(proconfig) as setting where setting like 'search_path=%') as "isPinned",
       exists (select from aclexplode(coalesce(proacl, acldefault('f', proowner))) where grantee = 0) as "isPublic"
     from pg_proc join pg_namespace on pg_namespace.oid = pronamespace
     where prosecdef and pg_proc.oid >= ${FIRST_OWN_ID} and nspname !~ '^pg_temp' order by 1`,
  )
}

/** Languages whose functions are not kept from the machine, without those that only a superuser can use. */
export async function selectUntrustedLanguages(database: Database): Promise<OwnedRow[]> {
  return select<OwnedRow>(
    database,
    `select quote_ident(lanname) as name, pg_get_userbyid(lanowner) as owner
     from pg_language where not lanpltrusted and lanname not in ('internal', 'c') order by 1`,
  )
}

/** Functions in machine code that neither PostgreSQL nor an extension brought along. */
export async function selectNativeFunctions(database: Database): Promise<OwnedRow[]> {
  return select<OwnedRow>(
    database,
    `select pg_proc.oid::regprocedure::text as name, pg_get_userbyid(proowner) as owner
     from pg_proc join pg_language on pg_language.oid = prolang
     where lanname in ('internal', 'c') and pg_proc.oid >= ${FIRST_OWN_ID}
       and not exists (select from pg_depend where classid = 'pg_proc'::regclass
         and objid = pg_proc.oid and deptype = 'e') order by 1`,
  )
}

/** Extensions by name. */
export async function selectExtensions(database: Database): Promise<OwnedRow[]> {
  return select<OwnedRow>(
    database,
    `select extname as name, pg_get_userbyid(extowner) as owner from pg_extension order by 1`,
  )
}

/** Tables whose row security does not hold their owners. */
export async function selectUnforcedTables(database: Database): Promise<OwnedRow[]> {
  return select<OwnedRow>(
    database,
    `select oid::regclass::text as name, pg_get_userbyid(relowner) as owner
     from pg_class where relrowsecurity and not relforcerowsecurity order by 1`,
  )
}

/** Whoever owns tables, functions or schemas, without the role that the server was made with. */
export async function selectOwners(database: Database): Promise<OwnerRow[]> {
  return select<OwnerRow>(
    database,
    `select pg_get_userbyid(owner) as role, count(*)::int as count, min(name) as example
     from (
       select relowner as owner, pg_class.oid::regclass::text as name, relnamespace as schema
       from pg_class where relkind in ('r', 'p', 'v', 'm', 'f', 'S')
       union all select proowner, oid::regprocedure::text, pronamespace from pg_proc
       union all select nspowner, quote_ident(nspname), oid from pg_namespace) as object
     join pg_namespace on pg_namespace.oid = schema
     where owner <> 10 and nspname !~ '^pg_(toast|temp)' group by owner order by 1`,
  )
}

/** Event triggers that no extension brought along. */
export async function selectEventTriggers(database: Database): Promise<OwnedRow[]> {
  return select<OwnedRow>(
    database,
    `select quote_ident(evtname) as name, pg_get_userbyid(evtowner) as owner from pg_event_trigger
     where not exists (select from pg_depend where classid = 'pg_event_trigger'::regclass
       and objid = pg_event_trigger.oid and deptype = 'e') order by 1`,
  )
}

/** Tables that may be decoys, by their comments; which are, the list says. */
export async function selectDecoys(database: Database): Promise<DecoyRow[]> {
  return select<DecoyRow>(
    database,
    `select relid::regclass::text as name, description as reference,
       (seq_scan + coalesce(idx_scan, 0))::float8 as reads, to_jsonb(stat) ->> 'last_seq_scan' as "lastReadAt"
     from pg_description join pg_stat_all_tables as stat on relid = objoid
     where classoid = 'pg_class'::regclass and objsubid = 0 and description like '${REFERENCE}%' order by 1`,
  )
}

/** The name of the database that a connection leads to. */
export async function selectDatabaseName(database: Database): Promise<string> {
  const [row] = await select<{ name: string }>(database, 'select current_database() as name')
  if (!row) throw new Error('the server says nothing about itself')
  return row.name
}
