import { UsageError } from '../errors.js'
import { PASSWORD_KINDS, PASSWORD_VIEW } from './audit/server-store.js'
import { quoteName } from './audit/types.js'

/** What an auditor who is no superuser needs. */
export interface PreparedAuditor {
  role: string
  /** SQL for a superuser of the primary, in the database that the auditor's URL names. */
  statements: string[]
  /** What is to be done beside it. */
  hints: string[]
}

/**
 * The least rights with which a role can audit a server. Nothing is changed: the statements are for a
 * superuser to look at and to run, once on the primary.
 * @throws UsageError for a name that no role may have
 */
export function prepareAuditor(role: string): PreparedAuditor {
  const isGood = role !== '' && Buffer.byteLength(role) <= 63 && !/[\p{Cc}\p{Cs}]/u.test(role)
  if (!isGood || role.startsWith('pg_'))
    throw new UsageError(
      'bad-role-name',
      'a role name is 1 to 63 bytes and does not begin with pg_',
    )
  const name = quoteName(role)
  const [schema = ''] = PASSWORD_VIEW.split('.')
  return {
    role,
    statements: [
      `create role ${name} login connection limit 5`,
      `grant pg_monitor to ${name}`,
      `grant select on pg_hba_file_rules, pg_ident_file_mappings to ${name}`,
      `grant execute on function pg_hba_file_rules(), pg_ident_file_mappings(), pg_stat_file(text) to ${name}`,
      `create schema if not exists ${schema}`,
      `create or replace view ${PASSWORD_VIEW} as ${PASSWORD_KINDS.replaceAll(/\s+/g, ' ')}`,
      `grant usage on schema ${schema} to ${name}`,
      `grant select on ${PASSWORD_VIEW} to ${name}`,
      `do $$ declare name text; begin for name in select datname from pg_database where datallowconn loop ` +
        `execute format('grant connect on database %I to %I', name, '${role.replaceAll("'", "''")}'); end loop; end $$`,
    ],
    hints: [
      `give it a password by \\password ${name} in psql, or a certificate`,
      `put it on the list: cleverctl service-account add ${role} --purpose audit --owner EMAIL --network CIDR`,
      `pg_hba.conf of every server: hostssl all ${name} ADDRESS/32 scram-sha-256`,
      'user mappings of foreign servers stay hidden: where there are any, stored-login is not checked',
    ],
  }
}
