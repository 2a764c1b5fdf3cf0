import { foundGrant } from '../grant-found.js'
import { defineRule } from '../types.js'

/** Functions of PostgreSQL that reach the machine, its files or its replication. */
const WATCHED =
  /^(pg_catalog\.)?(pg_read_(binary_)?file|pg_ls_dir|pg_file_\w+|pg_logfile_rotate|pg_rotate_logfile|pg_promote|pg_(start|stop)_backup|pg_backup_(start|stop)|pg_switch_wal|pg_create_restore_point|pg_wal_replay_(pause|resume)|pg_reload_conf|pg_replication_origin_\w+|lo_(import|export))\(/

/** A right on them that PostgreSQL does not give. */
export const serverFunction = defineRule({
  id: 'server-function',
  severity: 'high',
  summary: 'a role may call a function that reads files, promotes or backs up',
  help: 'pg_read_file reads every file of the server, the password hashes among them.',
  references: ['NIST AC-6', 'ISO 27001 A.8.2'],
  needs: ['database', 'grants'],
  find: ({ database, grants }) =>
    grants
      .filter(({ kind, name }) => kind === 'function' && WATCHED.test(name))
      .map((grant) =>
        foundGrant(grant, database, `${grant.grantee ?? 'PUBLIC'} may call ${grant.name}`),
      ),
})
