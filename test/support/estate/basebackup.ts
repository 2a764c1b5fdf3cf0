import assert from 'node:assert/strict'
import { DATA, PROGRAMS } from './cluster.js'
import type { EstateCommands } from './commands.js'
import type { Estate } from './estate.js'
import { DATABASES } from './snapshots.js'

/** Where pg_basebackup's backups are on the backup machine. */
export const DIRECTORY = '/var/lib/pgbackrest/base'
/** Where the WAL is received. */
export const WAL = `${DIRECTORY}/wal`
/** Flags of `host add` for a backup machine without pgBackRest. */
export const ENGINE = ['--backup-engine', 'pg_basebackup', '--backup-directory', DIRECTORY]

/** As systemd would: begun again whenever it ends. A word of a unit reads like one of the shell. */
const SERVICE = `unit=/etc/systemd/system/cleverctl-receive-main.service
  sed -n 's/^ExecStart=//p' $unit >/tmp/receive
  while :; do setpriv --reuid pgbackrest --regid pgbackrest --init-groups env HOME=/var/lib/pgbackrest sh -e /tmp/receive; sleep 0.2; done`
const LONGEST_TURNS = 600

/** Gives the backup machine the password for replication. */
export async function giveReplicationPassword({ estate }: EstateCommands): Promise<void> {
  const pass = await estate.machine('db1').run('root', ['cat', '/var/lib/postgresql/.pgpass'])
  await estate.machine('bak1').write('/var/lib/pgbackrest/.pgpass', pass, 'pgbackrest', '600')
}

/** Lets the backup machine copy every database. */
export async function allowReplication({ estate }: EstateCommands): Promise<void> {
  for (const name of DATABASES)
    await estate.machine(name).script(
      `echo 'host replication replicator 192.0.2.14/32 scram-sha-256' >>${DATA}/pg_hba.conf
       setpriv --reuid postgres --regid postgres --clear-groups ${PROGRAMS}/pg_ctl -D ${DATA} reload >/dev/null`,
    )
}

/** Starts the service by which the backup machine receives WAL, and waits until it does. */
export async function receive(estate: Estate, primary: 'db1' | 'db2'): Promise<void> {
  const script = SERVICE.replaceAll("'", `'\\''`)
  await estate
    .machine('bak1')
    .script(`setsid sh -c '${script}' >/var/log/receive.log 2>&1 </dev/null &`)
  await receiving(estate, primary)
}

/** Waits until WAL of a primary is received. */
export async function receiving(estate: Estate, primary: 'db1' | 'db2'): Promise<void> {
  const active = 'select active from pg_replication_slots where slot_name = $$cleverctl_main$$'
  for (let turn = 0; (await estate.sql(primary, active)) !== 't'; turn += 1) {
    if (turn > LONGEST_TURNS)
      assert.fail(await estate.machine('bak1').script('tail -n 20 /var/log/receive.log'))
    await estate.sql(primary, 'select pg_sleep(0.1)')
  }
}

/**
 * While `work` goes on pg_basebackup is slow enough to be met at it; afterwards it is as before, and none runs, whatever
 * came of `work`.
 */
export async function whileSlow(estate: Estate, work: () => Promise<unknown>): Promise<void> {
  const bak1 = estate.machine('bak1')
  // So many kB a second.
  await bak1.script(`cd ${PROGRAMS}; mv pg_basebackup fast
    printf '#!/bin/sh\\nexec ${PROGRAMS}/fast --max-rate=32 "$@"\\n' >pg_basebackup; chmod 755 pg_basebackup`)
  try {
    await work()
  } finally {
    await bak1.script(`mv ${PROGRAMS}/fast ${PROGRAMS}/pg_basebackup
      pkill -x fast || true; until ! pgrep -x fast >/dev/null; do sleep 0.1; done`)
  }
}

/** Waits until pg_basebackup has made some of a backup. */
export async function underWay(estate: Estate): Promise<void> {
  const half = `"$(echo ${DIRECTORY}/backup/.new-*/data/base)"`
  await estate.machine('bak1').script(`until [ -e ${half} ]; do sleep 0.1; done`)
}
