import assert from 'node:assert/strict'
import type { Database } from '../../src/lib/database/database.js'
import { isSqlState, SqlState } from '../../src/lib/database/sqlstate.js'
import { openUrl } from '../support/database.js'
import { startServer } from '../support/server.js'
import type { ServerRole, TestServer } from '../support/server.js'

type Group = Exclude<ServerRole, 'owner'>

const APPEND = `select cleverctl.trail_append('change', 'test.append', 's', 'u', 'h', null, '{}')`
const GROUPS: readonly Group[] = ['staff', 'gate', 'auditor']

/** What each member must be able to do. Rights are checked before rows, so `where false` is enough. */
const ALLOWED: Record<Group, string[]> = {
  staff: [
    'select * from cleverctl.device where false',
    'select * from cleverctl.reading where false',
    'select * from cleverctl.trail where false',
    'update cleverctl.device set revoked_at = now(), revoke_reason = $$x$$ where false',
    'delete from cleverctl.installer_assignment where false',
    'update cleverctl.campaign set state = state where false',
    'update cleverctl.campaign_target set state = state where false',
    `insert into cleverctl.campaign_target (campaign_id, position, target, operation, wave) select 1, 1, 'a', 'a', 1 where false`,
    `select count(*) from cleverctl_queue.add_jobs(array[row('x', '{}', null, null, null, 'k', null, null)::cleverctl_queue.job_spec])`,
    'delete from cleverctl_queue._private_jobs where false',
    'select * from cleverctl.account join cleverctl.account_role on account_id = id where false',
    'select * from cleverctl.access_acceptance where false',
    'select role_name, state, ends_at, approved_by from cleverctl.access_grant where false',
    'select * from cleverctl.access_policy, cleverctl.access_canary where false',
    `select cleverctl.access_approve(0, 'u', 'h', null), cleverctl.access_deny(0, 'r', 'u', 'h', null)`,
    'select method, certificate from cleverctl.access_grant where false',
    'select * from cleverctl.access_ca where false',
    'update cleverctl.access_ca set sealed = sealed where false',
    'select sealed, digest from cleverctl.router_credential where false',
    'update cleverctl.router set removed_at = now() where false',
    'delete from cleverctl.router_jump where false',
    'update cleverctl.router_pepper set sealed = sealed where false',
    'select sealed from cleverctl.host where false',
    'update cleverctl.host set removed_at = now() where false',
    'select tables from cleverctl.backup_count where false',
    'update cleverctl.backup_repository set state = state where sealed is null',
    'select result from cleverctl.drill where false',
    'update cleverctl.snapshot_set set state = state where false',
    'update cleverctl.snapshot set state = state where false',
    `select cleverctl.access_audit_record(now(), '[]', '[]', '[]', '[]')`,
    'select * from cleverctl.access_audit, cleverctl.access_finding where false',
    `select cleverctl.session_append('[]')`,
    'select * from cleverctl.session_now, cleverctl.session_head where false',
    'update cleverctl.session_server set generation = generation where false',
    'update cleverctl.session_log set offset_bytes = offset_bytes where false',
    APPEND,
  ],
  gate: [
    'select serial, secret_sha256, token_epoch, revoked_at from cleverctl.device where false',
    'select email, password_hash from cleverctl.installer where false',
    'select key_id, digest from cleverctl.api_key where false',
    'select sealed_private from cleverctl.signing_key where false',
    'select device_id, at from cleverctl.reading where false',
    `insert into cleverctl.reading (device_id, installation_id, at, "values") select 1, 1, now(), '{}' where false`,
    'update cleverctl.api_key set last_used_at = now(), use_count = use_count + 1 where false',
    'delete from cleverctl.refusal where false',
    'select cleverctl.reading_ensure_partition(now())',
    'update cleverctl.device_sighting set arrivals = arrivals + 1 where false',
    'update cleverctl.device_address set arrivals = arrivals + 1 where false',
    'delete from cleverctl.device_address where false',
    'select * from cleverctl.api_key_successor(0, now())',
    `select cleverctl.api_key_settle('{}', now(), 'u', 'h')`,
    APPEND,
  ],
  auditor: [
    'select * from cleverctl.trail where false',
    'select * from cleverctl.installation where false',
    'select serial, model, revoked_at from cleverctl.device where false',
    'select key_id, state, last_used_at from cleverctl.api_key where false',
    'select * from cleverctl.refusal where false',
    'select * from cleverctl.device_sighting where false',
    'select * from cleverctl.device_address where false',
    'select secret_rotated_at from cleverctl.device where false',
    'select * from cleverctl.active_device where false',
    'select * from cleverctl.campaign, cleverctl.campaign_target where false',
    'select * from cleverctl.account join cleverctl.account_role on account_id = id where false',
    'select * from cleverctl.access_acceptance where false',
    'select role_name, state, ends_at, approved_by from cleverctl.access_grant where false',
    'select * from cleverctl.access_policy, cleverctl.access_canary where false',
    'select method, certificate from cleverctl.access_grant where false',
    'select id, certificate, revocation_list from cleverctl.access_ca where false',
    'select * from cleverctl.router where false',
    'select * from cleverctl.router_jump where false',
    'select router_id, kind, version, state, name from cleverctl.router_credential where false',
    'select name, role, address, location, stanza, data_directory from cleverctl.host where false',
    'select tables from cleverctl.backup_count where false',
    'select stanza, number, kind, settings, state from cleverctl.backup_repository where false',
    'select result from cleverctl.drill where false',
    'select * from cleverctl.snapshot_set, cleverctl.snapshot where false',
    'select * from cleverctl.access_audit, cleverctl.access_finding where false',
    'select * from cleverctl.session, cleverctl.session_now, cleverctl.session_head where false',
    'select * from cleverctl.session_server, cleverctl.session_log where false',
  ],
}

/** What each member must not be able to do. */
const DENIED: Record<Group, string[]> = {
  staff: [
    `insert into cleverctl.reading (device_id, installation_id, at, "values") values (1, 1, now(), '{}')`,
    'delete from cleverctl.device where false',
    'delete from cleverctl.reading where false',
    'delete from cleverctl.api_key where false',
    'update cleverctl.device_sighting set arrivals = 0 where false',
    'delete from cleverctl.device_address where false',
    'delete from cleverctl.campaign where false',
    'delete from cleverctl.campaign_target where false',
    'delete from cleverctl.router where false',
    'delete from cleverctl.router_credential where false',
    'delete from cleverctl.router_pepper where false',
    'delete from cleverctl.host where false',
    'delete from cleverctl.backup_repository where false',
    'update cleverctl.access_ca set certificate = certificate where false',
    `insert into cleverctl.access_ca (id, certificate, revocation_list, created_at) values ('', '', '', now())`,
    'delete from cleverctl.snapshot_set where false',
    'delete from cleverctl.snapshot where false',
    'select * from cleverctl.api_key_successor(0, now())',
    'update cleverctl.migration set sha256 = sha256 where false',
    'set role cleverctl_gate',
  ],
  gate: [
    'select * from cleverctl.trail where false',
    'select * from cleverctl.account where false',
    'select * from cleverctl.account_role where false',
    'select * from cleverctl.access_acceptance where false',
    'select * from cleverctl.access_policy where false',
    'select * from cleverctl.access_canary where false',
    `select cleverctl.access_approve(0, 'u', 'h', null)`,
    'select certificate from cleverctl.access_ca where false',
    'select name from cleverctl.installer where false',
    'select "values" from cleverctl.reading where false',
    'select model from cleverctl.device where false',
    'select name, latitude from cleverctl.installation where false',
    'select sealed from cleverctl.api_key where false',
    'select address from cleverctl.router where false',
    'select name from cleverctl.router_credential where false',
    'select sealed from cleverctl.router_pepper where false',
    'select address from cleverctl.host where false',
    'select label from cleverctl.backup_count where false',
    'select kind from cleverctl.backup_repository where false',
    'select result from cleverctl.drill where false',
    'select name from cleverctl.snapshot_set where false',
    'select lsn from cleverctl.snapshot where false',
    'select at from cleverctl.access_audit where false',
    'select rule from cleverctl.access_finding where false',
    'select who from cleverctl.session where false',
    'select log from cleverctl.session_log where false',
    `select cleverctl.session_append('[]')`,
    `select cleverctl.access_audit_record(now(), '[]', '[]', '[]', '[]')`,
    'select * from cleverctl.device_import where false',
    'select * from cleverctl.campaign where false',
    'select * from cleverctl.campaign_target where false',
    'update cleverctl.campaign set state = state where false',
    'update cleverctl.device set revoked_at = null where false',
    'select secret_rotated_at from cleverctl.device where false',
    'update cleverctl.api_key set state = $$CURRENT$$ where false',
    'delete from cleverctl.device_sighting where false',
    'update cleverctl.reading set at = at where false',
    'delete from cleverctl.reading where false',
    'insert into cleverctl.installation (code, name, timezone, latitude, longitude) values ($$a$$, $$a$$, $$UTC$$, 0, 0)',
    'insert into cleverctl.api_key (key_id) values ($$12345678$$)',
    'update cleverctl.signing_key set state = state where false',
    `select cleverctl_queue.add_job('x')`,
    'select * from cleverctl_queue._private_jobs',
    'set role cleverctl_staff',
  ],
  auditor: [
    APPEND,
    `select cleverctl.session_append('[]')`,
    'update cleverctl.session_log set offset_bytes = offset_bytes where false',
    `select cleverctl.access_audit_record(now(), '[]', '[]', '[]', '[]')`,
    'select secret_sha256 from cleverctl.device where false',
    'select previous_secret_sha256 from cleverctl.device where false',
    'select password_hash from cleverctl.installer where false',
    'select digest from cleverctl.api_key where false',
    'select sealed from cleverctl.api_key where false',
    'select sealed_private from cleverctl.signing_key where false',
    'select sealed from cleverctl.router_credential where false',
    'select digest from cleverctl.router_credential where false',
    'select sealed from cleverctl.router_pepper where false',
    'update cleverctl.router set removed_at = now() where false',
    'select sealed from cleverctl.host where false',
    'select sealed from cleverctl.access_ca where false',
    'update cleverctl.host set removed_at = now() where false',
    'select sealed from cleverctl.backup_repository where false',
    'update cleverctl.backup_repository set state = state where false',
    'insert into cleverctl.drill (kind) select $$backup$$ where false',
    'select "values" from cleverctl.reading where false',
    'update cleverctl.device set revoked_at = null where false',
    'insert into cleverctl.refusal (hour) values (now())',
    'delete from cleverctl.device_address where false',
    'update cleverctl.campaign set state = state where false',
    'update cleverctl.campaign_target set state = state where false',
    `select cleverctl_queue.add_job('x')`,
    'select * from cleverctl_queue._private_jobs',
    'select cleverctl.reading_ensure_partition(now())',
    'select * from cleverctl.api_key_successor(0, now())',
    `select cleverctl.api_key_settle('{}', now(), 'u', 'h')`,
    `select cleverctl.access_approve(0, 'u', 'h', null)`,
    `select cleverctl.access_deny(0, 'r', 'u', 'h', null)`,
    'set role cleverctl_staff',
  ],
}

/** What no member of any group may do. */
const DENIED_TO_ALL = [
  'update cleverctl.account set valid_until = null where false',
  'delete from cleverctl.account where false',
  'insert into cleverctl.account_role (role_name, account_id) values ($$x$$, 1)',
  'delete from cleverctl.account_role where false',
  'update cleverctl.access_acceptance set valid_until = valid_until where false',
  'delete from cleverctl.access_acceptance where false',
  'select verifier from cleverctl.access_grant where false',
  'update cleverctl.access_grant set ends_at = ends_at where false',
  'delete from cleverctl.access_grant where false',
  'insert into cleverctl.access_grant (reason) select $$x$$ where false',
  'insert into cleverctl.access_audit (critical) select 0 where false',
  'delete from cleverctl.access_audit where false',
  'update cleverctl.access_finding set ended_at = ended_at where false',
  'delete from cleverctl.access_finding where false',
  'update cleverctl.access_policy set longer_than = null where false',
  'update cleverctl.access_canary set state = state where false',
  'delete from cleverctl.access_canary where false',
  'alter table cleverctl.access_grant disable trigger all',
  'select cleverctl.access_person()',
  'insert into cleverctl.session (seq) select 0 where false',
  'update cleverctl.session set who = who where false',
  'delete from cleverctl.session where false',
  'delete from cleverctl.session_log where false',
  'truncate cleverctl.session',
  'update cleverctl.session_head set seq = seq where false',
  'update cleverctl.drill set result = result where false',
  'delete from cleverctl.drill where false',
  'update cleverctl.backup_count set tables = tables where false',
  'delete from cleverctl.backup_count where false',
  'insert into cleverctl.access_acceptance (rule) select $$x$$ where false',
  'update cleverctl.trail set subject = subject where false',
  'delete from cleverctl.trail where false',
  'truncate cleverctl.trail',
  'insert into cleverctl.trail select * from cleverctl.trail where false',
  'update cleverctl.trail_head set seq = 0 where false',
  'delete from cleverctl.trail_head where false',
  'truncate cleverctl.trail_head',
  'alter table cleverctl.trail disable trigger all',
  'drop table cleverctl.trail',
  'create table cleverctl.mine (x int)',
  'create table cleverctl_queue.mine (x int)',
  'alter table cleverctl_queue._private_jobs disable row level security',
  'create or replace function cleverctl.trail_refuse_change() returns trigger language plpgsql as $$ begin return null; end $$',
  'truncate cleverctl.device',
  'alter table cleverctl.reading rename to mine',
  'drop table cleverctl.reading',
  'insert into cleverctl.migration (version, name, sha256) values (999, $$x$$, sha256($$x$$))',
  'select rolpassword from pg_authid',
  `copy cleverctl.installation to program 'cat'`,
]

describe('the group roles', () => {
  let server: TestServer
  const databases = new Map<Group, Database>()

  before(async () => {
    server = await startServer()
    for (const group of GROUPS) databases.set(group, await openUrl(server.url(group)))
  })
  after(async () => {
    for (const database of databases.values()) await database.close()
    await server.stop()
  })

  /** Runs a statement as a member and takes it back. */
  const attempt = async (group: Group, statement: string): Promise<void> => {
    const undo = new Error('taken back')
    const work = databases.get(group)?.transaction(async (transaction) => {
      await transaction.query(statement)
      throw undo
    })
    await work?.catch((error: unknown) => {
      if (error !== undo) throw error
    })
  }

  for (const group of GROUPS) {
    for (const statement of ALLOWED[group]) {
      it(`let ${group} ${statement}`, async () => {
        await attempt(group, statement)
      })
    }
    for (const statement of [...DENIED[group], ...DENIED_TO_ALL]) {
      it(`deny ${group} ${statement}`, async () => {
        await assert.rejects(attempt(group, statement), (error) =>
          isSqlState(error, SqlState.INSUFFICIENT_PRIVILEGE),
        )
      })
    }
  }

  it('exist once and cannot log in', async () => {
    const { rows } = await server.administer(
      `select rolname, rolcanlogin, rolsuper, rolcreaterole, rolbypassrls from pg_roles where rolname like 'cleverctl%' order by 1`,
    )
    assert.deepEqual(
      rows,
      ['auditor', 'gate', 'staff'].map((name) => ({
        rolname: `cleverctl_${name}`,
        rolcanlogin: false,
        rolsuper: false,
        rolcreaterole: false,
        rolbypassrls: false,
      })),
    )
  })

  it('leave the owner unable to change the trail by accident', async () => {
    const owner = await openUrl(server.url('owner'))
    for (const statement of [
      'update cleverctl.trail set subject = $$x$$',
      'delete from cleverctl.trail',
      'truncate cleverctl.trail',
    ]) {
      await assert.rejects(owner.query(statement), (error) =>
        isSqlState(error, SqlState.INSUFFICIENT_PRIVILEGE),
      )
    }
    await owner.close()
  })
})
