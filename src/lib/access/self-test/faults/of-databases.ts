import { ENGINEER, HANDLES } from '../people.js'
import type { Fault } from '../types.js'
import { sqlFault } from './sql-fault.js'

const FUNCTION = 'create function fleet.reads() returns int language sql'
const TRIGGER = 'create function fleet.watches() returns event_trigger language plpgsql as'
const WRAPPER = [
  'create foreign data wrapper elsewhere',
  'create server elsewhere foreign data wrapper elsewhere',
] as const

const DECOY = [
  'create table fleet.passwords (password text)',
  `comment on table fleet.passwords is 'ref table'`,
]
const UNDECOY = 'drop table fleet.passwords'
const DROP = 'drop function fleet.reads()'
const CLOSED = 'revoke execute on function fleet.reads() from public'
const PINNED = 'security definer set search_path = pg_catalog, pg_temp as'

/** Objects of databases by which somebody gets at what is not his. */
export const FAULTS_OF_DATABASES: readonly Fault[] = [
  sqlFault(
    'canary-read',
    // What a session has counted is seen by others after its next transaction.
    [[...DECOY, 'select * from fleet.passwords', 'select pg_stat_force_next_flush()'], UNDECOY],
    [DECOY, UNDECOY],
  ),
  sqlFault(
    'security-definer',
    [[`${FUNCTION} security definer as 'select 1'`, CLOSED], DROP],
    [[`${FUNCTION} ${PINNED} 'select 1'`, CLOSED], DROP],
  ),
  sqlFault(
    'security-definer',
    [`${FUNCTION} ${PINNED} 'select 1'`, DROP],
    [`${FUNCTION} as 'select 1'`, DROP],
  ),
  sqlFault('security-definer', [
    `create function pg_catalog.reads() returns int language sql ${PINNED} 'select 1'`,
    'drop function pg_catalog.reads()',
  ]),
  sqlFault(
    'native-function',
    ["create function fleet.reads() returns text language internal as 'pgsql_version'", DROP],
    ['create extension citext schema fleet', 'drop extension citext'],
    HANDLES.bootstrap,
  ),
  sqlFault(
    'open-password',
    [
      [WRAPPER[0], `${WRAPPER[1]} options (host 'x', password 'planted')`],
      'drop foreign data wrapper elsewhere cascade',
    ],
    [
      [WRAPPER[0], `${WRAPPER[1]} options (host 'x', password_required 'true')`],
      'drop foreign data wrapper elsewhere cascade',
    ],
    HANDLES.bootstrap,
  ),
  sqlFault(
    'untrusted-language',
    ['create language fleet_language handler plpgsql_call_handler', 'drop language fleet_language'],
    [
      'create trusted language fleet_language handler plpgsql_call_handler',
      'drop language fleet_language',
    ],
  ),
  sqlFault('outside-extension', ['create extension dblink schema fleet', 'drop extension dblink']),
  sqlFault(
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
  sqlFault('stored-login', [
    [...WRAPPER, "create user mapping for public server elsewhere options (user 'x')"],
    'drop foreign data wrapper elsewhere cascade',
  ]),
  sqlFault(
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
  sqlFault(
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
  sqlFault(
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
  sqlFault(
    'subscription',
    [
      "create subscription planted connection 'host=db9.example.com' publication planted with (connect = false, slot_name = none)",
      'drop subscription planted',
    ],
    ['create publication planted', 'drop publication planted'],
    HANDLES.bootstrap,
  ),
]
