import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { auditAccess } from '../../src/lib/access/audit/audit.js'
import type { AccessAudit } from '../../src/lib/access/audit/types.js'
import type { Database } from '../../src/lib/database/database.js'
import { ExitCode, ExpectedError, UsageError } from '../../src/lib/errors.js'
import { addAccount } from '../../src/lib/staff/add.js'
import { removeAccount } from '../../src/lib/staff/remove.js'
import type { Workspace } from '../../src/lib/workspace.js'
import { systemClock } from '../../src/lib/clock.js'
import { openUrl, testWorkspace } from '../support/database.js'
import { startServer, type TestServer } from '../support/server.js'

/** Rules with which nothing is wrong. The line numbers of planted ones follow. */
const CLEAN_HBA = [
  'local all postgres peer map=anybody',
  'hostssl fleet engineer 10.77.0.1/32 scram-sha-256',
  'hostssl replication replicator 10.77.0.11/32 scram-sha-256',
]
const END = 'host all all all reject'

/** A fault: what plants it, what takes it away, and the rule that must find it with whom. */
interface Plant {
  rule: string
  who: string | null
  plant?: string
  clear?: string
  /** A line of pg_hba.conf before the last. */
  hba?: string
  /** The whole of pg_hba.conf. */
  file?: readonly string[]
  /** What looks alike and is no fault. */
  nearMiss?: string
  nearHba?: string
}

const PLANTS: Plant[] = [
  {
    rule: 'role-nobody',
    who: 'nobody',
    plant: 'create role stranger login',
    clear: 'drop role stranger',
    nearMiss: 'create role stranger',
  },
  {
    rule: 'superuser',
    who: 'engineer@example.com',
    plant: 'alter role engineer superuser',
    clear: 'alter role engineer nosuperuser',
    nearMiss: 'alter role engineer inherit',
  },
  {
    rule: 'create-role',
    who: 'engineer@example.com',
    plant: 'alter role engineer createrole',
    clear: 'alter role engineer nocreaterole',
  },
  {
    rule: 'create-role',
    who: 'engineer@example.com',
    plant: 'alter role engineer createdb',
    clear: 'alter role engineer nocreatedb',
  },
  {
    rule: 'bypass-row-security',
    who: 'engineer@example.com',
    plant: 'alter role engineer bypassrls',
    clear: 'alter role engineer nobypassrls',
  },
  {
    rule: 'replication-role',
    who: 'engineer@example.com',
    plant: 'alter role engineer replication',
    clear: 'alter role engineer noreplication',
    nearMiss: 'alter role replicator replication',
  },
  {
    rule: 'password-without-end',
    who: 'engineer@example.com',
    plant: "alter role engineer valid until 'infinity'",
    clear: "alter role engineer valid until '2098-01-01'",
    nearMiss: "alter role engineer valid until '2099-01-01T00:00:00Z'",
  },
  {
    rule: 'powerful-group',
    who: 'engineer@example.com',
    plant: 'grant pg_execute_server_program to engineer',
    clear: 'revoke pg_execute_server_program, pg_monitor from engineer',
    nearMiss: 'grant pg_monitor to engineer',
  },
  {
    rule: 'admin-option',
    who: 'engineer@example.com',
    plant: 'grant readers to engineer with admin option',
    clear: 'revoke readers from engineer',
    nearMiss: 'grant readers to engineer',
  },
  {
    rule: 'weak-password-hash',
    who: 'engineer@example.com',
    plant: "set password_encryption = 'md5'; alter role engineer password 'x'",
    clear: 'reset password_encryption; alter role engineer password null',
    nearMiss: "set password_encryption = 'scram-sha-256'; alter role engineer password 'x'",
  },
  {
    rule: 'role-setting',
    who: 'engineer@example.com',
    plant: "alter role engineer set log_statement = 'none'",
    clear: 'alter role engineer reset all',
    nearMiss: "alter role engineer set work_mem = '5MB'",
  },
  {
    rule: 'public-connect',
    who: null,
    plant: 'create database open',
    clear: 'drop database if exists open',
    nearMiss: 'create database open allow_connections false',
  },
  {
    rule: 'weak-method',
    who: null,
    hba: 'hostssl fleet engineer 10.77.0.1/32 md5',
    nearHba: 'hostssl fleet engineer 10.77.0.1/32 cert',
  },
  {
    rule: 'plaintext',
    who: null,
    hba: 'host fleet engineer 10.77.0.1/32 scram-sha-256',
    nearHba: 'hostnossl fleet engineer 10.77.0.1/32 reject',
  },
  {
    rule: 'wide-address',
    who: null,
    hba: 'hostssl fleet engineer all scram-sha-256',
    nearHba: 'hostssl fleet engineer 10.77.0.11/32 scram-sha-256',
  },
  { rule: 'wide-address', who: null, hba: 'hostssl fleet engineer 10.77.0.0/31 scram-sha-256' },
  {
    rule: 'everybody',
    who: null,
    hba: 'hostssl all engineer 10.77.0.1/32 scram-sha-256',
    nearHba: 'hostssl "all" engineer 10.77.0.1/32 scram-sha-256',
  },
  {
    rule: 'superuser-over-network',
    who: 'bootstrap',
    hba: 'hostssl fleet all 10.77.0.1/32 scram-sha-256',
    nearHba: 'hostssl fleet +readers 10.77.0.1/32 scram-sha-256',
  },
  {
    rule: 'replication-rule',
    who: null,
    hba: 'host replication replicator 10.77.0.11/32 scram-sha-256',
    nearHba: 'hostssl replication replicator 10.77.0.11/32 cert',
  },
  {
    rule: 'rule-for-nobody',
    who: null,
    hba: 'hostssl fleet leaver 10.77.0.1/32 scram-sha-256',
    nearHba: 'hostssl fleet leaver 10.77.0.1/32 reject',
  },
  {
    rule: 'broken-rule',
    who: null,
    hba: 'hostssl fleet engineer 10.77.0.1/99 scram-sha-256',
    nearHba: '# hostssl fleet engineer 10.77.0.1/99',
  },
  {
    rule: 'dead-rule',
    who: null,
    hba: 'hostssl fleet engineer 10.77.0.1/32 reject',
    nearHba: 'hostssl fleet engineer 10.77.0.11/32 reject',
  },
  { rule: 'no-last-reject', who: null, file: CLEAN_HBA },
]

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
      dsns,
      environment: { CLEVERCTL_HOME: '/nonexistent', HOME: '/nonexistent' },
      failOn,
      sarif: undefined,
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

  it('finds nothing where nothing is wrong, and has checked everything', async () => {
    const { result, exitCode } = await audit()
    deepEqual([result.findings, result.notChecked, exitCode], [[], [], 0])
  })

  for (const { rule, who, plant, clear, hba, file, nearMiss, nearHba } of PLANTS)
    it(`finds ${rule}: ${plant ?? hba ?? 'no last line'}`, async () => {
      const run = async (statements = '') => {
        if (statements !== '')
          for (const each of statements.split('; ')) await server.administer(each)
      }
      const put = (line: string | undefined) =>
        write([...CLEAN_HBA, ...(line === undefined ? [] : [line]), END])
      const single = (statements: string | undefined) => server.administer(statements ?? 'select 1')
      try {
        if (nearMiss !== undefined || nearHba !== undefined) {
          await single(nearMiss)
          put(nearHba)
          deepEqual(found(await audit(), rule), [], 'near miss')
          await single(clear)
        }
        await single(plant)
        if (file) write(file)
        else put(hba)
        const outcome = await audit()
        equal(outcome.exitCode, ExitCode.findings)
        const [finding] = found(outcome, rule)
        ok(finding, 'not found')
        equal(finding.who, who)
        ok(finding.fix !== '' && finding.undo !== '')
      } finally {
        await run(clear)
      }
    })

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
    const outcome = await audit([socketUrl('engineer', 'fleet')])
    deepEqual(outcome.result.findings, [])
    equal(outcome.exitCode, ExitCode.failure)
    ok(outcome.result.notChecked.some(({ rule }) => rule === 'weak-method'))
    ok(outcome.result.notChecked.some(({ rule }) => rule === 'weak-password-hash'))
  })

  it('needs no superuser, but for the kind of hashes', async () => {
    const grants = /```sql\n([^`]*auditor[^`]*)```/.exec(
      readFileSync('docs/access.md', 'utf8'),
    )?.[1]
    ok(grants)
    // The server of this test has that login already, as a member of another group.
    const own = grants.replaceAll(/\bauditor\b/g, 'looker')
    const kind = 'service-account' as const
    const facts = { description: 'x', owner: 'engineer@example.com', networks: [], until: null }
    await addAccount(workspace, {
      ...{ kind, handle: 'looker', roleNames: ['looker'], isReplaced: false },
      ...facts,
    })
    await database.query(own)
    await database.query('grant connect on database cleverctl to looker')
    write([
      CLEAN_HBA[0] ?? '',
      'local cleverctl looker peer map=looker',
      ...CLEAN_HBA.slice(1),
      END,
    ])
    const ident = join(server.cluster.folder, 'data', 'pg_ident.conf')
    writeFileSync(ident, 'anybody /^.*$ postgres\nlooker /^.*$ looker\n')
    await server.administer('select pg_reload_conf()')
    await new Promise((resolve) => setTimeout(resolve, 200))
    const { result } = await audit([socketUrl('looker', 'cleverctl')])
    deepEqual(result.findings, [])
    deepEqual(
      result.notChecked.map(({ rule }) => rule),
      ['weak-password-hash'],
    )
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
