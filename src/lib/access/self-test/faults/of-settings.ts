import { ENGINEER, HANDLES, REPLICATOR } from '../people.js'
import type { Change, Fault } from '../types.js'

function setting(rule: string, name: string, value: string, more: Partial<Change> = {}): Fault {
  return { rule, who: null, plant: { settings: { [name]: value }, ...more } }
}

const restart = { needsRestart: true }

/** Settings with which somebody gets in, or nobody can tell who was in, and connections that stand. */
export const FAULTS_OF_SETTINGS: readonly Fault[] = [
  setting('no-tls', 'ssl', 'off'),
  setting('no-tls', 'ssl_min_protocol_version', "'TLSv1.1'"),
  {
    ...setting('weak-cipher', 'ssl_ciphers', "'HIGH:MEDIUM:+3DES:!aNULL'"),
    nearMiss: { settings: { ssl_ciphers: "'ECDHE+AESGCM:!MEDIUM'" } },
  },
  setting('password-encryption', 'password_encryption', "'md5'"),
  {
    ...setting('slow-authentication', 'authentication_timeout', "'10min'"),
    nearMiss: { settings: { authentication_timeout: "'30s'" } },
  },
  {
    ...setting('open-socket', 'unix_socket_permissions', "'0777'", restart),
    nearMiss: { settings: { unix_socket_permissions: "'0770'" }, ...restart },
  },
  setting('no-password-check', 'shared_preload_libraries', "'auth_delay'", restart),
  setting('no-delay', 'shared_preload_libraries', "'passwordcheck'", restart),
  setting('no-delay', 'auth_delay.milliseconds', "'0'"),
  setting('no-pgaudit', 'pgaudit.log', "'write'"),
  setting('no-pgaudit', 'pgaudit.log', "'all,-role'"),
  setting('connections-not-logged', 'log_connections', 'off'),
  setting('connections-not-logged', 'log_disconnections', 'off'),
  {
    ...setting('connections-not-logged', 'log_min_messages', 'fatal'),
    nearMiss: { settings: { log_min_messages: 'log' } },
  },
  setting('replication-not-logged', 'log_replication_commands', 'off'),
  {
    ...setting('changes-not-logged', 'log_statement', "'none'"),
    nearMiss: { settings: { log_statement: "'mod'" } },
  },
  {
    ...setting('log-readable', 'log_file_mode', "'0640'"),
    nearMiss: { settings: { log_file_mode: "'0400'" } },
  },
  {
    ...setting('log-form', 'log_destination', "'stderr'"),
    nearMiss: { settings: { log_destination: "'csvlog'" } },
  },
  {
    ...setting('log-not-utc', 'log_timezone', "'Europe/Madrid'"),
    nearMiss: { settings: { log_timezone: "'Etc/UTC'" } },
  },
  {
    ...setting('log-line-prefix', 'log_line_prefix', "'%m [%p] %d %r '"),
    nearMiss: { settings: { log_line_prefix: "'%t:%r:%u@%d:[%10p]: '" } },
  },
  {
    ...setting('log-line-prefix', 'log_line_prefix', "'%m %%p %u@%d %r '"),
  },
  {
    ...setting('standby-without-tls', 'primary_conninfo', "'host=db1.example.com user=replicator'"),
    nearMiss: { settings: { primary_conninfo: "'host=/run/postgresql user=replicator'" } },
  },
  {
    ...setting(
      'standby-without-tls',
      'primary_conninfo',
      "'host=db1.example.com user=replicator sslmode=verify-full password=planted'",
    ),
    nearMiss: {
      settings: {
        primary_conninfo:
          "'host=db1.example.com user=replicator sslmode=verify-full passfile=/etc/pgpass'",
      },
    },
  },
  {
    rule: 'idle-slot',
    who: null,
    plant: {
      sql: ["select pg_create_physical_replication_slot('forgotten')"],
      mend: ["select pg_drop_replication_slot('forgotten')"],
    },
  },
  {
    rule: 'foreign-replica',
    who: HANDLES.engineer,
    plant: {
      sql: [`alter role ${ENGINEER} replication`],
      mend: [`alter role ${ENGINEER} noreplication`],
      hba: [`local replication ${ENGINEER} trust`],
      session: { role: ENGINEER, isReplication: true },
    },
    nearMiss: {
      hba: [`local replication ${REPLICATOR} trust`],
      session: { role: REPLICATOR, isReplication: true },
    },
  },
  {
    rule: 'session-nobody',
    who: 'nobody',
    plant: {
      sql: [
        'create role fleet_stranger login',
        'grant connect on database fleet to fleet_stranger',
      ],
      mend: ['revoke connect on database fleet from fleet_stranger', 'drop role fleet_stranger'],
      hba: ['local fleet fleet_stranger trust'],
      session: { role: 'fleet_stranger' },
    },
    nearMiss: {
      sql: [`grant connect on database fleet to ${ENGINEER}`],
      mend: [`revoke connect on database fleet from ${ENGINEER}`],
      hba: [`local fleet ${ENGINEER} trust`],
      session: { role: ENGINEER },
    },
  },
  {
    rule: 'session-nobody',
    who: HANDLES.engineer,
    plant: {
      sql: [`grant connect on database fleet to ${ENGINEER}`],
      mend: [`revoke connect on database fleet from ${ENGINEER}`],
      hba: [`host fleet ${ENGINEER} 127.0.0.1/32 trust`],
      session: { role: ENGINEER, isOverNetwork: true },
    },
  },
]
