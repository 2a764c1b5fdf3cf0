import type { Database } from '../../database/database.js'
import { RefusedError } from '../../errors.js'
import type { OwnedRow } from './database-store.js'
import { select } from './server-store.js'

/** A login at another server that is kept in this one. */
export interface MappingRow {
  server: string
  /** Null: for everybody. */
  role: string | null
  hasPassword: boolean
}

/** Something with options that every role can read. */
export interface OptionsRow extends OwnedRow {
  kind: 'server' | 'foreign data wrapper' | 'foreign table'
  /** Those that hold a password. */
  option: string
}

const PASSWORD_OPTION = '^(ssl)?password='

/**
 * Logins at other servers; never a password.
 * @throws RefusedError where there are any and their options are not shown to this role
 */
export async function selectMappings(database: Database): Promise<MappingRow[]> {
  const rows = await select<MappingRow & { isSuperuser: boolean }>(
    database,
    `select srvname as server, case when umuser <> 0 then usename end as role,
       exists (select from unnest(umoptions) as option where option ~* '${PASSWORD_OPTION}') as "hasPassword",
       (select rolsuper from pg_roles where rolname = current_user) as "isSuperuser"
     from pg_user_mappings order by 1, 2`,
  )
  if (rows.some(({ isSuperuser }) => !isSuperuser))
    throw new RefusedError('privilege-missing', 'options of user mappings are shown to superusers')
  return rows
}

/** Passwords for other servers that stand where every role can read them; never the password. */
export async function selectOpenPasswords(database: Database): Promise<OptionsRow[]> {
  return select<OptionsRow>(
    database,
    `select kind, name, pg_get_userbyid(owner) as owner, split_part(option, '=', 1) as option
     from (
       select 'server' as kind, quote_ident(srvname) as name, srvowner as owner, srvoptions as options
       from pg_foreign_server
       union all
       select 'foreign data wrapper', quote_ident(fdwname), fdwowner, fdwoptions
       from pg_foreign_data_wrapper
       union all
       select 'foreign table', ftrelid::regclass::text, relowner, ftoptions
       from pg_foreign_table join pg_class on oid = ftrelid) as object
     cross join unnest(options) as option where option ~* '${PASSWORD_OPTION}' order by 1, 2, 4`,
  )
}

/** Subscriptions of this database: each holds the login at another server. */
export async function selectSubscriptions(database: Database): Promise<OwnedRow[]> {
  return select<OwnedRow>(
    database,
    `select quote_ident(subname) as name, pg_get_userbyid(subowner) as owner from pg_subscription
     where subdbid = (select oid from pg_database where datname = current_database()) order by 1`,
  )
}
