import { ENGINEER, HANDLES, PROGRAM } from '../people.js'
import type { Fault } from '../types.js'

const FUNCTION = 'create function fleet.reads() returns int language sql'
const TRIGGER = 'create function fleet.watches() returns event_trigger language plpgsql as'
const WRAPPER = [
  'create foreign data wrapper elsewhere',
  'create server elsewhere foreign data wrapper elsewhere',
]

function sql(
  rule: string,
  statements: readonly [plant: string | readonly string[], mend: string | readonly string[]],
  near?: readonly [plant: string | readonly string[], mend: string | readonly string[]],
  who: string | null = null,
): Fault {
  const [plant, mend] = statements.map((each) => [each].flat())
  const [nearPlant, nearMend] = (near ?? []).map((each) => [each].flat())
  return {
    ...{ rule, who, plant: { sql: plant ?? [], mend: mend ?? [] } },
    ...(nearPlant ? { nearMiss: { sql: nearPlant, mend: nearMend ?? [] } } : {}),
  }
}

const DECOY = [
  'create table fleet.passwords (password text)',
  `comment on table fleet.passwords is 'ref table'`,
]
const UNDECOY = 'drop table fleet.passwords'
const DROP = 'drop function fleet.reads()'
const CLOSED = 'revoke execute on function fleet.reads() from public'
const PINNED = 'security definer set search_path = pg_catalog, pg_temp as'

/** Rights and objects of databases by which somebody gets at what is not his. */
export const FAULTS_OF_DATABASES: readonly Fault[] = [
  sql(
    'canary-read',
    // What a session has counted is seen by others after its next transaction.
    [[...DECOY, 'select * from fleet.passwords', 'select pg_stat_force_next_flush()'], UNDECOY],
    [DECOY, UNDECOY],
  ),
  sql(
    'public-connect',
    ['create database fleet_open', 'drop database fleet_open'],
    ['create database fleet_open allow_connections false', 'drop database fleet_open'],
  ),
  sql(
    'public-connect',
    [
      'grant connect on database postgres to public',
      'revoke connect on database postgres from public',
    ],
    [
      `grant connect on database postgres to ${PROGRAM}`,
      `revoke connect on database postgres from ${PROGRAM}`,
    ],
  ),
  sql('public-temporary', [
    'grant temporary on database fleet to public',
    'revoke temporary on database fleet from public',
  ]),
  sql(
    'public-schema',
    ['grant create on schema public to public', 'revoke create on schema public from public'],
    ['grant usage on schema fleet to public', 'revoke usage on schema fleet from public'],
  ),
  sql(
    'create-in-schema',
    [
      `grant create on schema fleet to ${ENGINEER}`,
      `revoke create on schema fleet from ${ENGINEER}`,
    ],
    [
      'grant create on schema fleet to fleet_readers',
      'revoke create on schema fleet from fleet_readers',
    ],
    HANDLES.engineer,
  ),
  sql(
    'public-table',
    ['grant select on fleet.plant to public', 'revoke select on fleet.plant from public'],
    [`grant select on fleet.plant to ${ENGINEER}`, `revoke select on fleet.plant from ${ENGINEER}`],
  ),
  sql('public-table', [
    'grant select on pg_authid to public',
    'revoke select on pg_authid from public',
  ]),
  sql('public-table', [
    ['create sequence fleet.number', 'grant usage on sequence fleet.number to public'],
    'drop sequence fleet.number',
  ]),
  sql(
    'grant-option',
    [
      `grant select on fleet.plant to ${ENGINEER} with grant option`,
      `revoke select on fleet.plant from ${ENGINEER}`,
    ],
    [`grant select on fleet.plant to ${ENGINEER}`, `revoke select on fleet.plant from ${ENGINEER}`],
    HANDLES.engineer,
  ),
  sql(
    'default-privileges',
    [
      'alter default privileges in schema fleet grant select on tables to public',
      'alter default privileges in schema fleet revoke select on tables from public',
    ],
    [
      `alter default privileges in schema fleet grant select on tables to fleet_readers`,
      `alter default privileges in schema fleet revoke select on tables from fleet_readers`,
    ],
    HANDLES.bootstrap,
  ),
  sql(
    'default-privileges',
    [
      'alter default privileges for role fleet_owner grant insert on tables to public',
      'alter default privileges for role fleet_owner revoke insert on tables from public',
    ],
    [
      'alter default privileges for role fleet_owner grant execute on functions to fleet_readers',
      'alter default privileges for role fleet_owner revoke execute on functions from fleet_readers',
    ],
    'nobody',
  ),
  sql(
    'security-definer',
    [[`${FUNCTION} security definer as 'select 1'`, CLOSED], DROP],
    [[`${FUNCTION} ${PINNED} 'select 1'`, CLOSED], DROP],
  ),
  sql(
    'security-definer',
    [`${FUNCTION} ${PINNED} 'select 1'`, DROP],
    [`${FUNCTION} as 'select 1'`, DROP],
  ),
  sql(
    'untrusted-language',
    ['create language fleet_language handler plpgsql_call_handler', 'drop language fleet_language'],
    [
      'create trusted language fleet_language handler plpgsql_call_handler',
      'drop language fleet_language',
    ],
  ),
  sql('outside-extension', ['create extension dblink', 'drop extension dblink']),
  sql(
    'stored-login',
    [
      [
        ...WRAPPER,
        `create user mapping for ${ENGINEER} server elsewhere options (user 'x', password 'planted')`,
      ],
      'drop foreign data wrapper elsewhere cascade',
    ],
    [
      [...WRAPPER, `create user mapping for ${ENGINEER} server elsewhere options (user 'x')`],
      'drop foreign data wrapper elsewhere cascade',
    ],
    HANDLES.engineer,
  ),
  sql('stored-login', [
    [...WRAPPER, "create user mapping for public server elsewhere options (user 'x')"],
    'drop foreign data wrapper elsewhere cascade',
  ]),
  sql(
    'row-security-not-forced',
    [
      [
        `alter table fleet.plant owner to ${ENGINEER}`,
        'alter table fleet.plant enable row level security',
      ],
      [
        'alter table fleet.plant disable row level security',
        'alter table fleet.plant owner to current_user',
      ],
    ],
    [
      [
        `alter table fleet.plant owner to ${ENGINEER}`,
        'alter table fleet.plant enable row level security',
        'alter table fleet.plant force row level security',
      ],
      [
        'alter table fleet.plant no force row level security',
        'alter table fleet.plant disable row level security',
        'alter table fleet.plant owner to current_user',
      ],
    ],
    HANDLES.engineer,
  ),
  sql(
    'person-owns-objects',
    [
      `alter table fleet.plant owner to ${ENGINEER}`,
      'alter table fleet.plant owner to current_user',
    ],
    [
      'alter table fleet.plant owner to fleet_owner',
      'alter table fleet.plant owner to current_user',
    ],
    HANDLES.engineer,
  ),
  sql(
    'server-function',
    [
      `grant execute on function pg_read_file(text) to ${ENGINEER}`,
      `revoke execute on function pg_read_file(text) from ${ENGINEER}`,
    ],
    [
      `grant execute on function pg_stat_file(text) to ${ENGINEER}`,
      `revoke execute on function pg_stat_file(text) from ${ENGINEER}`,
    ],
    HANDLES.engineer,
  ),
  sql('server-function', [
    'grant execute on function pg_promote(boolean, integer) to public',
    'revoke execute on function pg_promote(boolean, integer) from public',
  ]),
  sql(
    'event-trigger',
    [
      [
        `${TRIGGER} 'begin end'`,
        'create event trigger watches on ddl_command_end execute function fleet.watches()',
      ],
      ['drop event trigger watches', 'drop function fleet.watches()'],
    ],
    [`${TRIGGER} 'begin end'`, 'drop function fleet.watches()'],
    HANDLES.bootstrap,
  ),
  sql(
    'subscription',
    [
      "create subscription planted connection 'host=db9.example.com' publication planted with (connect = false, slot_name = none)",
      'drop subscription planted',
    ],
    ['create publication planted', 'drop publication planted'],
    HANDLES.bootstrap,
  ),
]
