import { ENGINEER, HANDLES, PROGRAM } from '../people.js'
import type { Fault } from '../types.js'
import { sqlFault } from './sql-fault.js'

/** Rights on databases, what is in them, and settings, that somebody should not have. */
export const FAULTS_OF_RIGHTS: readonly Fault[] = [
  ...[ENGINEER, 'fleet_readers'].map((grantee) =>
    sqlFault(
      'parameter-grant',
      [
        [
          `grant alter system on parameter archive_command to ${grantee}`,
          `grant fleet_readers to ${ENGINEER}`,
        ],
        [
          `revoke alter system on parameter archive_command from ${grantee}`,
          `revoke fleet_readers from ${ENGINEER}`,
        ],
      ],
      undefined,
      HANDLES.engineer,
    ),
  ),
  sqlFault('parameter-grant', [
    'grant set on parameter log_statement to public',
    'revoke set on parameter log_statement from public',
  ]),
  sqlFault(
    'public-connect',
    ['create database fleet_open', 'drop database fleet_open'],
    ['create database fleet_open allow_connections false', 'drop database fleet_open'],
  ),
  sqlFault(
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
  sqlFault('public-temporary', [
    'grant temporary on database fleet to public',
    'revoke temporary on database fleet from public',
  ]),
  sqlFault(
    'public-schema',
    ['grant create on schema public to public', 'revoke create on schema public from public'],
    ['grant usage on schema fleet to public', 'revoke usage on schema fleet from public'],
  ),
  sqlFault(
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
  sqlFault(
    'create-in-schema',
    [
      [`grant fleet_readers to ${ENGINEER}`, 'grant create on schema fleet to fleet_readers'],
      ['revoke create on schema fleet from fleet_readers', `revoke fleet_readers from ${ENGINEER}`],
    ],
    undefined,
    HANDLES.engineer,
  ),
  sqlFault(
    'create-in-database',
    ['grant create on database fleet to public', 'revoke create on database fleet from public'],
    [
      'grant create on database fleet to fleet_readers',
      'revoke create on database fleet from fleet_readers',
    ],
  ),
  sqlFault(
    'create-in-database',
    [
      `grant create on database fleet to ${ENGINEER}`,
      `revoke create on database fleet from ${ENGINEER}`,
    ],
    undefined,
    HANDLES.engineer,
  ),
  sqlFault(
    'public-table',
    ['grant select on fleet.plant to public', 'revoke select on fleet.plant from public'],
    [`grant select on fleet.plant to ${ENGINEER}`, `revoke select on fleet.plant from ${ENGINEER}`],
  ),
  sqlFault('public-table', [
    'grant select on pg_authid to public',
    'revoke select on pg_authid from public',
  ]),
  sqlFault('public-table', [
    [
      'create view information_schema.hashes as select * from pg_authid',
      'grant select on information_schema.hashes to public',
    ],
    'drop view information_schema.hashes',
  ]),
  sqlFault('public-table', [
    ['select lo_create(4711)', 'grant select on large object 4711 to public'],
    'select lo_unlink(4711)',
  ]),
  sqlFault(
    'hidden-catalog',
    [`grant select on pg_authid to ${ENGINEER}`, `revoke select on pg_authid from ${ENGINEER}`],
    [`grant select on pg_config to ${ENGINEER}`, `revoke select on pg_config from ${ENGINEER}`],
    HANDLES.engineer,
  ),
  sqlFault('public-table', [
    ['create sequence fleet.number', 'grant usage on sequence fleet.number to public'],
    'drop sequence fleet.number',
  ]),
  sqlFault(
    'grant-option',
    [
      `grant select on fleet.plant to ${ENGINEER} with grant option`,
      `revoke select on fleet.plant from ${ENGINEER}`,
    ],
    [`grant select on fleet.plant to ${ENGINEER}`, `revoke select on fleet.plant from ${ENGINEER}`],
    HANDLES.engineer,
  ),
  sqlFault(
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
  sqlFault(
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
  sqlFault(
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
  sqlFault('server-function', [
    'grant execute on function pg_promote(boolean, integer) to public',
    'revoke execute on function pg_promote(boolean, integer) from public',
  ]),
]
