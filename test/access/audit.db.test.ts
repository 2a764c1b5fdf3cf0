import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { auditAccess } from '../../src/lib/access/audit/audit.js'
import type { AccessAudit } from '../../src/lib/access/audit/types.js'
import { prepareAuditor } from '../../src/lib/access/prepare.js'
import type { Database } from '../../src/lib/database/database.js'
import { ExitCode, ExpectedError, UsageError } from '../../src/lib/errors.js'
import { addAccount } from '../../src/lib/staff/add.js'
import { removeAccount } from '../../src/lib/staff/remove.js'
import type { Workspace } from '../../src/lib/workspace.js'
import { systemClock } from '../../src/lib/clock.js'
import { byDsn, openUrl, testWorkspace } from '../support/database.js'
import { startServer, type TestServer } from '../support/server.js'

/** Rules with which little is wrong. */
const CLEAN_HBA = [
  'local all postgres peer map=anybody',
  'hostssl fleet engineer 10.77.0.1/32 scram-sha-256',
  'hostssl replication replicator 10.77.0.11/32 scram-sha-256',
]
const END = 'host all all all reject'

describe('an audit of access', () => {
  let server: TestServer
  let workspace: Workspace
  let database: Database
  let hbaFile: string

  const write = (lines: readonly string[]) => writeFileSync(hbaFile, `${lines.join('\n')}\n`)
  const socketUrl = (role: string, name: string) =>
    `postgres://${role}@/${name}?host=${encodeURIComponent(server.cluster.socketFolder)}&port=${server.port}`
  const clean = async () => {
    write([...CLEAN_HBA, END])
    await server.administer('select pg_reload_conf()')
  }

  before(async () => {
    server = await startServer({
      settings: [
        'log_connections = on',
        'log_disconnections = on',
        "ssl_min_protocol_version = 'TLSv1.2'",
      ],
    })
    hbaFile = join(server.cluster.folder, 'data', 'pg_hba.conf')
    // Tests run as root as well as as somebody else.
    writeFileSync(join(server.cluster.folder, 'data', 'pg_ident.conf'), 'anybody /^.*$ postgres\n')
    database = await openUrl(socketUrl('postgres', 'cleverctl'))
    workspace = testWorkspace(database, { clock: systemClock })
    const run = (statement: string) => database.query(statement)
    await run(
      'create role readers; create role engineer login; create role replicator login replication',
    )
    await run("alter role engineer valid until '2098-01-01'")
    await run('create database fleet')
    for (const name of ['cleverctl', 'fleet', 'postgres', 'template1'])
      await run(`revoke connect on database ${name} from public`)
    await run('alter role owner nocreaterole')
    const common = { isReplaced: false, until: null, owner: 'engineer@example.com' }
    const add = (handle: string, roleNames: string[], networks: string[]) =>
      addAccount(workspace, {
        ...common,
        kind: 'service-account',
        handle,
        description: 'x',
        roleNames,
        networks,
      })
    await addAccount(workspace, {
      ...common,
      owner: null,
      kind: 'staff',
      handle: 'engineer@example.com',
      description: 'Engineer',
      roleNames: ['engineer'],
      networks: ['10.77.0.1'],
      until: '2098-12-31',
    })
    await add('replicator', ['replicator'], ['10.77.0.11'])
    await add('bootstrap', ['postgres'], [])
    await add('cleverctl', ['owner', 'staff', 'gate', 'auditor'], [])
  })
  beforeEach(clean)
  after(async () => {
    await database.close()
    await server.stop()
  })

  const audit = async (dsns: string[] = [], failOn: 'critical' | 'medium' = 'medium') => {
    const asked = {
      servers: byDsn(...dsns),
      environment: { CLEVERCTL_HOME: '/nonexistent', HOME: '/nonexistent' },
      failOn,
      isProbing: false,
      sarif: undefined,
      junit: undefined,
    }
    return auditAccess(workspace, asked).then(
      (result) => ({ result, exitCode: 0 }),
      (error: unknown) => {
        if (!(error instanceof ExpectedError) || error.result === undefined) throw error
        return { result: error.result as AccessAudit, exitCode: error.exitCode }
      },
    )
  }
  const found = ({ result }: { result: AccessAudit }, rule: string) =>
    result.findings.filter((finding) => finding.rule === rule)

  it('names a leaver by the list', async () => {
    const kind = 'service-account' as const
    await removeAccount(workspace, { kind, handle: 'replicator' })
    const [finding] = found(await audit(), 'role-nobody')
    deepEqual([finding?.subject, finding?.who], ['role replicator', 'replicator'])
    await addAccount(workspace, {
      kind,
      handle: 'replicator',
      description: 'x',
      owner: 'engineer@example.com',
      roleNames: ['replicator'],
      networks: ['10.77.0.11'],
      until: null,
      isReplaced: true,
    })
  })

  it('says that a file is newer than what the server read', async () => {
    // Times of files are whole seconds.
    await new Promise((resolve) => setTimeout(resolve, 1100))
    write([...CLEAN_HBA, END])
    // A connection that was idle while the server read its files has not noticed yet: take a new one.
    equal(found(await audit([socketUrl('postgres', 'cleverctl')]), 'rules-not-loaded').length, 1)
  })

  it('mends by its own SQL, and takes it back by its own SQL', async () => {
    await server.administer('alter role engineer bypassrls')
    const rule = 'bypass-row-security'
    const [finding] = found(await audit(), rule)
    await server.administer(finding?.fix ?? '')
    equal(found(await audit(), rule).length, 0)
    await server.administer(finding?.undo ?? '')
    equal(found(await audit(), rule).length, 1)
    await server.administer('alter role engineer nobypassrls')
  })

  it('never calls good what it could not see', async () => {
    write([
      'local all postgres peer map=anybody',
      'local all engineer trust',
      ...CLEAN_HBA.slice(1),
      END,
    ])
    await server.administer('grant connect on database fleet to engineer; select pg_reload_conf()')
    await new Promise((resolve) => setTimeout(resolve, 200))
    const outcome = await audit([socketUrl('engineer', 'fleet')], 'critical')
    deepEqual(
      outcome.result.findings.filter(({ severity }) => severity === 'critical'),
      [],
    )
    equal(outcome.exitCode, ExitCode.failure)
    ok(outcome.result.notChecked.some(({ rule }) => rule === 'weak-method'))
    ok(outcome.result.notChecked.some(({ rule }) => rule === 'weak-password-hash'))
    ok(
      outcome.result.notChecked.some(
        ({ rule, reason }) => rule === 'public-table' && reason.includes('in postgres'),
      ),
    )
  })

  it('finds by the role that access prepare makes what it finds as a superuser', async () => {
    const { statements } = prepareAuditor('looker')
    for (const statement of statements) await database.query(statement)
    const kind = 'service-account' as const
    const facts = { description: 'x', owner: 'engineer@example.com', networks: [], until: null }
    await addAccount(workspace, {
      ...{ kind, handle: 'looker', roleNames: ['looker'], isReplaced: false },
      ...facts,
    })
    write([
      CLEAN_HBA[0] ?? '',
      'local all looker peer map=looker',
      ...CLEAN_HBA.slice(1),
      'hostssl fleet engineer 10.77.0.1/32 md5',
      'host all all samenet reject',
      END,
    ])
    const ident = join(server.cluster.folder, 'data', 'pg_ident.conf')
    writeFileSync(ident, 'anybody /^.*$ postgres\nlooker /^.*$ looker\n')
    await server.administer('alter role engineer bypassrls')
    await server.administer('grant select on pg_authid to public')
    await server.administer('select pg_reload_conf()')
    await new Promise((resolve) => setTimeout(resolve, 200))
    const [mine, other] = [
      await audit([socketUrl('postgres', 'cleverctl')]),
      await audit([socketUrl('looker', 'cleverctl')]),
    ]
    await server.administer('revoke select on pg_authid from public')
    await server.administer('alter role engineer nobypassrls')
    const factsOf = ({ result }: { result: AccessAudit }) =>
      result.findings
        .filter(({ rule }) => rule !== 'session-nobody')
        .map(({ rule, subject, who, evidence }) => ({ rule, subject, who, evidence }))
    deepEqual(mine.result.notChecked, [])
    deepEqual(
      other.result.notChecked.map(({ rule, reason }) => [rule, /pg_read_file/.test(reason)]),
      [['dead-rule', true]],
      'what samenet stands for is in a file of the machine',
    )
    deepEqual(factsOf(other), factsOf(mine))
    for (const rule of ['bypass-row-security', 'weak-method', 'public-table', 'mapped-superuser'])
      ok(found(other, rule).length > 0, rule)
  })

  it('runs nothing that the owner of a database put in the way of names', async () => {
    const url = socketUrl('postgres', 'fleet')
    const fleet = await openUrl(url, { migrations: 'ignore' })
    await fleet.query('create schema trap; create view trap.pg_event_trigger as select 1 as trap')
    await fleet.query('alter database fleet set search_path = trap, pg_catalog')
    await fleet.close()
    try {
      for (const dsns of [[], [url]]) deepEqual((await audit(dsns)).result.notChecked, [])
    } finally {
      const again = await openUrl(url, { migrations: 'ignore' })
      await again.query('drop schema trap cascade; alter database fleet reset search_path')
      await again.close()
    }
  })

  it('knows by the interfaces of the machine what samenet and samehost stand for', async () => {
    const cases: [where: string, address: string, dead: string[]][] = [
      ['samenet', '127.0.0.2', ['pg_hba.conf line 5']],
      ['samehost', '127.0.0.1', ['pg_hba.conf line 5']],
      ['samehost', '127.0.0.2', []],
    ]
    for (const [where, address, dead] of cases) {
      const line = `hostssl fleet engineer ${address}/32 scram-sha-256`
      write([...CLEAN_HBA, `hostssl fleet engineer ${where} reject`, line, END])
      const subjects = found(await audit(), 'dead-rule').map(({ subject }) => subject)
      deepEqual(subjects, dead, `${where} ${address}`)
    }
  })

  it('ends with 7 when a server is out of reach', async () => {
    const outcome = await audit(['postgres://x@127.0.0.1:1/x?connect_timeout=1&sslmode=disable'])
    equal(outcome.exitCode, ExitCode.unreachable)
    deepEqual(
      outcome.result.notChecked.map(({ rule }) => rule),
      ['all'],
    )
  })

  it('refuses a password in a URL, and says it nowhere', () =>
    rejects(
      audit(['postgres://x:hunter2@127.0.0.1/x']),
      (error: unknown) => error instanceof UsageError && !error.message.includes('hunter2'),
    ))

  it('leaves pg_hba.conf as it was', async () => {
    const former = readFileSync(hbaFile, 'utf8')
    await audit()
    equal(readFileSync(hbaFile, 'utf8'), former)
  })
})
