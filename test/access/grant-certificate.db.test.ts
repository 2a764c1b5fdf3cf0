import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { probeLogin } from '../../src/lib/access/audit/probe.js'
import { createCa } from '../../src/lib/access/ca/create.js'
import { openCa } from '../../src/lib/access/ca/open.js'
import { approveAccess } from '../../src/lib/access/grant/approve.js'
import { trialCertificate } from '../../src/lib/access/grant/certificate.js'
import { expireAccess, revokeAccess } from '../../src/lib/access/grant/end.js'
import { grantAccess, type Granted } from '../../src/lib/access/grant/grant.js'
import { listGrants } from '../../src/lib/access/grant/list.js'
import { setPolicy } from '../../src/lib/access/policy/set.js'
import { systemClock } from '../../src/lib/clock.js'
import type { Database } from '../../src/lib/database/database.js'
import { ConflictError, PartialError } from '../../src/lib/errors.js'
import { fileDelivery } from '../../src/lib/file-delivery.js'
import { addAccount } from '../../src/lib/staff/add.js'
import type { Workspace } from '../../src/lib/workspace.js'
import { loadSettings, trustClients } from '../support/client-ca.js'
import { byDsn, databaseUrl, HOMELESS, openUrl, testWorkspace } from '../support/database.js'
import { auditOf, enforcedOn } from '../support/grants.js'
import { until } from '../support/until.js'
import { tlsClient } from '../support/login.js'
import { startServer, type TestServer } from '../support/server.js'

/** No rule takes the certificate: the next one wants what nobody brought along. */
const ASKS_FOR_A_PASSWORD = /client password must be a string/
const EMAIL = 'ana@example.com'

describe('access by a client certificate', () => {
  let server: TestServer
  let database: Database
  let workspace: Workspace
  let folder: string
  let count = 0

  const dsn = () => databaseUrl(server.cluster, 'cleverctl')
  const environment = HOMELESS
  const file = () => join(folder, `key-${count}`)
  const grantBy = (by: Workspace, output = file()): Promise<Granted> =>
    grantAccess(
      by,
      {
        ...{ email: EMAIL, forMs: 3_600_000, reason: 'ticket 4711', databases: ['cleverctl'] },
        ...{ isReadOnly: true, method: 'certificate', servers: byDsn(dsn()) },
      },
      { delivery: fileDelivery(output), certificateFile: `${output}.crt`, environment },
    )
  const grant = () => grantBy(workspace)
  const revoke = async () =>
    (await revokeAccess(workspace, { email: EMAIL, environment })).grants.map((each) => [
      each.outcome,
      each.sessionsEnded,
      each.servers.map(({ isRevoked }) => isRevoked),
    ])
  const proof = () => ({
    key: readFileSync(file(), 'utf8'),
    cert: readFileSync(`${file()}.crt`, 'utf8'),
  })
  const client = (role: string, shown = proof()) =>
    tlsClient({ port: server.port, role, proof: shown, database: 'cleverctl' })
  const opens = async (role: string) => {
    const session = client(role)
    await session.connect()
    return session
  }
  const addPerson = (name: string) =>
    addAccount(workspace, {
      ...{ kind: 'staff', handle: `${name}@example.com`, description: name, owner: null },
      ...{ roleNames: [name], networks: ['127.0.0.1'], until: null, isReplaced: true },
    })

  before(async () => {
    server = await startServer({ settings: ["log_statement = 'all'"] })
    database = await openUrl(dsn())
    workspace = testWorkspace(database, { clock: systemClock })
    folder = mkdtempSync(join(tmpdir(), 'cctl-certificate-'))
    await addPerson('ana')
  })
  beforeEach(() => {
    count += 1
  })
  afterEach(revoke)
  after(async () => {
    await database.close()
    await server.stop()
    rmSync(folder, { recursive: true })
  })

  it('is refused where nobody signs, or the server does not trust who does, and nothing is changed', async () => {
    await rejects(grant(), { code: 'no-client-ca' })
    const { certificate, outcome } = await createCa(workspace, { isReplaced: false })
    equal(outcome, 'created')
    deepEqual(
      [(await createCa(workspace, { isReplaced: false })).outcome, existsSync(file())],
      ['unchanged', false],
    )
    await rejects(grant(), { code: 'ca-not-trusted' })
    const other = await createCa(workspace, { isReplaced: true })
    ok(other.certificate !== certificate)
    await trustClients(server, other)
    await createCa(workspace, { isReplaced: true })
    await rejects(grant(), { code: 'ca-not-trusted' })
    deepEqual(await listGrants(workspace, { withEnded: true }), [])
    await trustClients(server, await createCa(workspace, { isReplaced: false }))
  })

  it('lets in by that certificate alone, no longer than the grant, and its key is in its file alone', async () => {
    const { role, endsAt, admissions, certificate = '' } = await grant()
    deepEqual(
      admissions.map(({ standing, line }) => [standing, line]),
      [['let in', `hostssl cleverctl ${role} 127.0.0.1/32 cert`]],
    )
    equal(statSync(file()).mode & 0o777, 0o600)
    const { subject, validTo, keyUsage } = new X509Certificate(certificate)
    deepEqual([subject, keyUsage], [`CN=${role}`, ['1.3.6.1.5.5.7.3.2']])
    ok(Date.parse(validTo) <= Date.parse(endsAt))
    await (await opens(role)).end()
    await rejects(client('postgres').connect(), ASKS_FOR_A_PASSWORD)
    const bare = tlsClient({
      ...{ port: server.port, role, proof: { password: 'x' }, database: 'cleverctl' },
    })
    await rejects(bare.connect(), { code: '28000' })
    const { rows } = await database.query<{ kept: string }>(
      'select row_to_json(access_grant)::text as kept from cleverctl.access_grant where role_name = $1',
      [role],
    )
    const [, line = ''] = proof().key.split('\n')
    ok(line.length > 40)
    for (const text of [readFileSync(server.cluster.logFile, 'utf8'), rows[0]?.kept ?? ''])
      ok(!text.includes(line))
  })

  it('is revoked: the session ends, and the server takes the certificate for no role any more', async () => {
    const { role } = await grant()
    const session = await opens(role)
    const ended = new Promise((resolve) => session.once('end', resolve))
    deepEqual(await revoke(), [['ended', 1, [true]]])
    await ended
    await rejects(client('postgres').connect(), (error: { code?: string }) => {
      // The server may be gone before what it said is read.
      match(error.code ?? '', /CERTIFICATE_REVOKED|ECONNRESET|EPIPE/)
      return true
    })
    const log = () => readFileSync(server.cluster.logFile, 'utf8')
    await until(async () => log().includes('certificate verify failed'))
    count += 1
    const other = await grant()
    await (await opens(other.role)).end()
  })

  it('tries its end with a certificate that would let in while it is in force', async () => {
    const { role, grantedAt } = await grant()
    const now = new Date()
    const given = { role, grantedAt: new Date(grantedAt) }
    const trial = await trialCertificate(await openCa(workspace, database), given, now)
    // The way of an engineer over the network, who is let in by a password.
    await server.administer(`alter role owner superuser`)
    const network = await openUrl(server.url('owner'))
    try {
      equal(await probeLogin(network, role, 'cleverctl', trial), 'in')
      equal(await probeLogin(network, role, 'cleverctl'), 'refused')
      await database.query(`alter role "${role}" nologin`)
      equal(await probeLogin(network, role, 'cleverctl', trial), 'refused')
    } finally {
      await network.close()
      await server.administer(`alter role owner nosuperuser`)
    }
  })

  it('is finished by the same command when only the key had come to its file', async () => {
    const { role, certificate } = await grant()
    rmSync(`${file()}.crt`)
    const again = await grant()
    deepEqual([again.outcome, again.role, again.certificate], ['unchanged', role, certificate])
    await (await opens(role)).end()
  })

  it('says so where the server keeps no list of revoked certificates', async () => {
    await server.administer('alter system reset ssl_crl_file')
    await loadSettings(server)
    try {
      const { role } = await grant()
      deepEqual(await revoke(), [['ended', 0, [false]]])
      await rejects(client(role).connect(), ASKS_FOR_A_PASSWORD)
    } finally {
      await server.administer(`alter system set ssl_crl_file = 'client-ca.pem'`)
      await loadSettings(server)
    }
  })

  it('keeps its authority from being replaced while it is open', async () => {
    const { role } = await grant()
    await rejects(createCa(workspace, { isReplaced: true }), ConflictError)
    await (await opens(role)).end()
  })

  it('is signed when a second person has approved it, and counts from there', async () => {
    const people = { bea: workspace, cleo: workspace }
    const open: Database[] = []
    for (const person of ['bea', 'cleo'] as const) {
      await addPerson(person)
      await server.administer(
        `create role ${person} login password '${person}' in role owner superuser`,
      )
      const login = server.url('owner').replace(/\/\/owner:[^@]*@/, `//${person}:${person}@`)
      const theirs = await openUrl(login)
      open.push(theirs)
      people[person] = { ...workspace, database: theirs }
    }
    const policy = { longerThanMs: 0, changing: false, databases: [], lapseAfterMs: 3_600_000 }
    await setPolicy(workspace, { ...policy, isNever: false })
    try {
      await rejects(grantBy(people.bea), PartialError)
      ok(existsSync(file()) && !existsSync(`${file()}.crt`))
      const [request] = await listGrants(workspace, { withEnded: false })
      await approveAccess(people.cleo, { id: request?.id ?? '', environment })
      const { role, endsAt, certificate = '' } = await grantBy(people.bea)
      ok(Date.parse(new X509Certificate(certificate).validTo) <= Date.parse(endsAt))
      await (await opens(role)).end()
    } finally {
      await setPolicy(workspace, { ...policy, longerThanMs: null, isNever: true })
      for (const each of open) await each.close()
    }
  })

  it('is a finding where its line asks for a password, and enforcing writes that line anew', async () => {
    const { role } = await grant()
    const file = join(server.cluster.folder, 'data', 'pg_hba.conf')
    writeFileSync(file, readFileSync(file, 'utf8').replace(' cert\n', ' scram-sha-256\n'))
    await loadSettings(server)
    const ofRule = ({ rule }: { rule: string | null }) => rule === 'otherwise-than-granted'
    const [finding] = (await auditOf(workspace, dsn())).findings.filter(ofRule)
    match(finding?.evidence ?? '', /^from 127.0.0.1 to cleverctl: expected .* cert, found .* scram/)
    const [change] = (await enforcedOn(workspace, dsn())).changes.filter(ofRule)
    deepEqual([finding?.who, change?.outcome], [EMAIL, 'done'])
    await (await opens(role)).end()
  })

  it('ends with the timer, and its certificate by itself', async () => {
    const { role } = await grant()
    const later = { now: () => new Date(Date.now() + 3_600_001) }
    const { grants } = await expireAccess({ ...workspace, clock: later }, { environment })
    deepEqual(
      grants.map(({ outcome, endReason }) => [outcome, endReason]),
      [['ended', 'expired']],
    )
    await rejects(client(role).connect())
  })
})
