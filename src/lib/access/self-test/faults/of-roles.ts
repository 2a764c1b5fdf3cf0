import { ENGINEER, HANDLES, PROGRAM, REPLICATOR } from '../people.js'
import type { Fault } from '../types.js'

const who = HANDLES.engineer
const VERIFIER = `SCRAM-SHA-256$4096:c2FsdA==$${'A'.repeat(43)}=:${'A'.repeat(43)}=`
const create = (role: string, more = '') =>
  `create role ${role} login connection limit 1 ${more}`.trim()

/** Roles that should not be, or may do what they should not. */
export const FAULTS_OF_ROLES: readonly Fault[] = [
  {
    rule: 'role-nobody',
    who: 'nobody',
    plant: { sql: [create('fleet_stranger')], mend: ['drop role fleet_stranger'] },
    nearMiss: { sql: ['create role fleet_stranger'], mend: ['drop role fleet_stranger'] },
  },
  {
    rule: 'role-nobody',
    who: HANDLES.leaver,
    plant: { sql: [create('fleet_leaver')], mend: ['drop role fleet_leaver'] },
  },
  {
    rule: 'role-nobody',
    who: HANDLES.former,
    plant: { sql: [create('fleet_former')], mend: ['drop role fleet_former'] },
  },
  {
    rule: 'superuser',
    who,
    plant: {
      sql: [`alter role ${ENGINEER} superuser`],
      mend: [`alter role ${ENGINEER} nosuperuser`],
    },
    nearMiss: {
      sql: [`alter role ${ENGINEER} noinherit`],
      mend: [`alter role ${ENGINEER} inherit`],
    },
  },
  {
    rule: 'superuser',
    who: 'nobody',
    plant: { sql: ['create role fleet_root superuser nologin'], mend: ['drop role fleet_root'] },
  },
  {
    rule: 'superuser',
    who,
    plant: {
      sql: [
        'create role fleet_root superuser',
        'create role fleet_step in role fleet_root',
        `grant fleet_step to ${ENGINEER}`,
      ],
      mend: ['drop role fleet_step', 'drop role fleet_root'],
    },
    nearMiss: {
      sql: [`grant fleet_readers to ${ENGINEER}`],
      mend: [`revoke fleet_readers from ${ENGINEER}`],
    },
  },
  {
    rule: 'canary-role',
    who: 'nobody',
    plant: {
      sql: ['create role fleet_vault login'],
      mend: ['drop role fleet_vault'],
    },
    nearMiss: {
      sql: ['create role fleet_vault'],
      mend: ['drop role fleet_vault'],
    },
  },
  {
    rule: 'canary-role',
    who,
    plant: {
      sql: ['create role fleet_vault', `grant fleet_vault to ${ENGINEER}`],
      mend: ['drop role fleet_vault'],
    },
  },
  {
    rule: 'create-role',
    who,
    plant: {
      sql: [`alter role ${ENGINEER} createrole`],
      mend: [`alter role ${ENGINEER} nocreaterole`],
    },
  },
  {
    rule: 'create-role',
    who,
    plant: {
      sql: [`alter role ${ENGINEER} createdb`],
      mend: [`alter role ${ENGINEER} nocreatedb`],
    },
  },
  {
    rule: 'bypass-row-security',
    who,
    plant: {
      sql: [`alter role ${ENGINEER} bypassrls`],
      mend: [`alter role ${ENGINEER} nobypassrls`],
    },
  },
  {
    rule: 'replication-role',
    who,
    plant: {
      sql: [`alter role ${ENGINEER} replication`],
      mend: [`alter role ${ENGINEER} noreplication`],
    },
    nearMiss: {
      sql: [`alter role ${PROGRAM} replication`],
      mend: [`alter role ${PROGRAM} noreplication`],
    },
  },
  ...['pg_execute_server_program', 'pg_write_server_files', 'pg_read_all_data'].map(
    (group): Fault => ({
      rule: 'powerful-group',
      who,
      plant: { sql: [`grant ${group} to ${ENGINEER}`], mend: [`revoke ${group} from ${ENGINEER}`] },
      nearMiss: {
        sql: [`grant pg_monitor to ${ENGINEER}`],
        mend: [`revoke pg_monitor from ${ENGINEER}`],
      },
    }),
  ),
  {
    rule: 'powerful-group',
    who,
    plant: {
      sql: ['grant pg_write_all_data to fleet_readers', `grant fleet_readers to ${ENGINEER}`],
      mend: [
        `revoke fleet_readers from ${ENGINEER}`,
        'revoke pg_write_all_data from fleet_readers',
      ],
    },
  },
  {
    rule: 'admin-option',
    who,
    plant: {
      sql: [`grant fleet_readers to ${ENGINEER} with admin option`],
      mend: [`revoke fleet_readers from ${ENGINEER}`],
    },
    nearMiss: {
      sql: [`grant fleet_readers to ${ENGINEER}`],
      mend: [`revoke fleet_readers from ${ENGINEER}`],
    },
  },
  ...["'infinity'", "'2099-01-02'", "'290000-01-01'"].map((until): Fault => ({
    rule: 'password-without-end',
    who,
    plant: {
      sql: [`alter role ${ENGINEER} valid until ${until}`],
      mend: [`alter role ${ENGINEER} valid until '2098-01-01'`],
    },
    nearMiss: {
      sql: [`alter role ${ENGINEER} valid until '2099-01-01T00:00:00Z'`],
      mend: [`alter role ${ENGINEER} valid until '2098-01-01'`],
    },
  })),
  {
    rule: 'end-without-effect',
    who: HANDLES.program,
    plant: {
      sql: [`alter role ${PROGRAM} valid until '-infinity'`],
      mend: [`alter role ${PROGRAM} valid until 'infinity'`],
      hba: [`hostssl postgres ${PROGRAM} 10.77.1.0/24 cert`],
    },
  },
  {
    rule: 'end-without-effect',
    who: HANDLES.program,
    plant: {
      sql: [`alter role ${PROGRAM} valid until '2020-01-01'`],
      mend: [`alter role ${PROGRAM} valid until 'infinity'`],
      hba: [`hostssl postgres ${PROGRAM} 10.77.1.0/24 cert`],
    },
    nearMiss: {
      sql: [`alter role ${PROGRAM} valid until '2020-01-01'`],
      mend: [`alter role ${PROGRAM} valid until 'infinity'`],
    },
  },
  {
    rule: 'weak-password-hash',
    who,
    plant: {
      sql: [`alter role ${ENGINEER} password 'md5${'0'.repeat(32)}'`],
      mend: [`alter role ${ENGINEER} password '${VERIFIER}'`],
    },
    nearMiss: {
      sql: [`alter role ${ENGINEER} password '${VERIFIER}'`],
    },
  },
  {
    rule: 'login-without-password',
    who,
    plant: {
      sql: [`alter role ${ENGINEER} password null`],
      mend: [`alter role ${ENGINEER} password '${VERIFIER}'`],
    },
    nearMiss: { sql: [create(`fleet_stranger`)], mend: ['drop role fleet_stranger'] },
  },
  {
    rule: 'login-without-password',
    who: 'nobody',
    plant: {
      sql: [`alter role fleet_readers password '${VERIFIER}'`],
      mend: ['alter role fleet_readers password null'],
    },
  },
  {
    rule: 'no-connection-limit',
    who: HANDLES.replicator,
    plant: {
      sql: [`alter role ${REPLICATOR} connection limit -1`],
      mend: [`alter role ${REPLICATOR} connection limit 5`],
    },
    nearMiss: {
      sql: [`alter role ${REPLICATOR} connection limit 0`],
      mend: [`alter role ${REPLICATOR} connection limit 5`],
    },
  },
  ...[
    "log_statement = 'none'",
    "search_path = 'fleet'",
    'row_security = off',
    'session_replication_role = replica',
    'lo_compat_privileges = on',
  ].map((setting): Fault => ({
    rule: 'role-setting',
    who,
    plant: {
      sql: [`alter role ${ENGINEER} set ${setting}`],
      mend: [`alter role ${ENGINEER} reset all`],
    },
    nearMiss: {
      sql: [`alter role ${ENGINEER} set work_mem = '5MB'`],
      mend: [`alter role ${ENGINEER} reset all`],
    },
  })),
  {
    rule: 'role-setting',
    who: null,
    plant: {
      sql: ["alter database fleet set log_min_duration_statement = '1h'"],
      mend: ['alter database fleet reset all'],
    },
  },
]
