import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Machine } from './machine.js'

/** Where PostgreSQL's programs are on every machine. */
export const PROGRAMS = '/usr/lib/postgresql/15/bin'
/** The data directory on every database machine, a subvolume of its own. */
export const DATA = '/var/lib/postgresql/15/main'

const SETTINGS = `listen_addresses = '*'
unix_socket_directories = '/run/postgresql'
shared_buffers = 32MB
max_connections = 40
max_wal_size = 256MB
wal_level = replica
wal_log_hints = on
archive_mode = on
archive_command = 'pgbackrest --stanza=main archive-push %p'
archive_timeout = 60
max_slot_wal_keep_size = 512MB
# The default of a minute is also how long a stop waits for a standby without a cable.
wal_sender_timeout = 5s
wal_receiver_timeout = 5s
hot_standby_feedback = on
logging_collector = on
log_directory = '/var/log/postgresql'
log_filename = 'postgresql.log'
`

/** A primary, the standbys that follow it, and the repository in which its WAL arrives. */
export async function setUpCluster(given: {
  primary: Machine
  standbys: readonly Machine[]
  backup: Machine
}): Promise<void> {
  const { primary, standbys, backup } = given
  const password = randomBytes(18).toString('base64url')
  const databases = [primary, ...standbys]
  await Promise.all(databases.map((machine) => prepare(machine, password)))
  await primary.run('postgres', [
    ...[
      `${PROGRAMS}/initdb`,
      '-D',
      DATA,
      '--locale=C.UTF-8',
      '--encoding=UTF8',
      '--data-checksums',
    ],
    ...['--auth-local=peer', '--auth-host=scram-sha-256', '--no-sync'],
  ])
  const lines = databases.map(
    ({ address }) => `host replication replicator ${address}/32 scram-sha-256\n`,
  )
  const append = 'cat >>"$1"'
  await primary.run('postgres', ['sh', '-c', append, 'sh', `${DATA}/postgresql.conf`], SETTINGS)
  await primary.run('postgres', ['sh', '-c', append, 'sh', `${DATA}/pg_hba.conf`], lines.join(''))
  await start(primary)
  const slots = standbys.map(
    ({ name }) => `select pg_create_physical_replication_slot('${name}', true);`,
  )
  const roles = `set password_encryption = 'scram-sha-256';
    create role replicator replication login password '${password}';`
  await primary.run('postgres', ['psql', '-Xq', '-v', 'ON_ERROR_STOP=1'], roles + slots.join('\n'))
  // Before the first WAL is archived: an archiver that failed thrice waits for a minute.
  const stanza = ['pgbackrest', '--stanza=main', '--no-online', 'stanza-create']
  await Promise.all([
    backup.run('pgbackrest', stanza),
    ...standbys.map((standby) => follow(standby, primary)),
  ])
  const streaming = `select count(*) from pg_stat_replication where state = 'streaming'`
  const words = ['psql', '-XAtqc', streaming]
  while (Number(await primary.run('postgres', words)) < standbys.length) await sleep(50)
}

async function prepare(machine: Machine, password: string): Promise<void> {
  const pass = `*:5432:*:replicator:${password}\n`
  await machine.write('/var/lib/postgresql/.pgpass', pass, 'postgres', '600')
  await machine.write('/etc/estate/postgresql', `programs=${PROGRAMS}\ndata=${DATA}\n`)
  await machine.script(
    `install -d -o postgres -g postgres -m 755 "$(dirname ${DATA})"
     btrfs -q subvolume create ${DATA}; chown postgres: ${DATA}; chmod 700 ${DATA}`,
  )
}

async function follow(standby: Machine, primary: Machine): Promise<void> {
  const conninfo = `host=${primary.name} user=replicator application_name=${standby.name}`
  await standby.run('postgres', [
    ...[`${PROGRAMS}/pg_basebackup`, '-D', DATA, '-S', standby.name, '-X', 'stream', '-c', 'fast'],
    ...['-R', '--no-sync', '-d', conninfo],
  ])
  await start(standby)
}

/** Starts PostgreSQL on a machine and waits until it takes connections. */
export async function start(machine: Machine): Promise<void> {
  // With a log of its own the server does not hold on to the pipe of whoever starts it.
  const log = ['-l', '/var/log/postgresql/start.log']
  const words = ['-D', DATA, ...log, '-s', '-w', '-t', '60', 'start']
  await machine.run('postgres', [`${PROGRAMS}/pg_ctl`, ...words])
}
