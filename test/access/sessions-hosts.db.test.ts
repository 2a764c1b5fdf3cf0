import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { followSessions } from '../../src/lib/access/sessions/follow.js'
import { BATCH } from '../../src/lib/access/sessions/ledger/recorder.js'
import { findSessions } from '../../src/lib/access/sessions/sessions.js'
import type { SessionsFound } from '../../src/lib/access/sessions/types.js'
import { ExitCode, ExpectedError, NotFoundError } from '../../src/lib/errors.js'
import { freePort } from '../../src/lib/free-port.js'
import { startCluster, type Cluster } from '../support/cluster.js'
import { silentLog } from '../support/database.js'
import { recordMachine, withDatabaseHosts, type DatabaseHosts } from '../support/database-host.js'
import { haltLedger } from '../support/halt.js'
import { sessionsQuestion, visit as logOfVisit, visits } from '../support/session-log.js'
import type { SshServer } from '../support/ssh.js'
import { startSwallowingProxy, type SwallowingProxy } from '../support/swallowing-proxy.js'

const SETTINGS = [
  "listen_addresses = ''",
  'log_connections = on',
  'log_disconnections = on',
  "log_line_prefix = '%m [%p] %c %l '",
]

describe('sessions by the logs of hosts', () => {
  let hosts: DatabaseHosts
  let cable: SwallowingProxy | undefined
  after(async () => cable?.stop())

  const visit = async (cluster: Cluster, application: string, options = '') => {
    const visitor = new pg.Client({
      ...{ host: cluster.socketFolder, port: cluster.port, user: 'postgres', database: 'postgres' },
      ...{ application_name: application, options },
    })
    await visitor.connect()
    await visitor.query('select 1')
    return visitor
  }

  withDatabaseHosts(async (up) => {
    hosts = up
    const collected = [
      'logging_collector = on',
      "log_destination = 'stderr,jsonlog'",
      "log_directory = 'it''s'",
    ]
    for (const [name, settings] of [
      ['db1', [...SETTINGS, ...collected]],
      ['db2', SETTINGS],
    ] as const) {
      const cluster = await startCluster({ settings, port: await freePort() })
      await hosts.add(name, cluster)
      await (await visit(cluster, `quick-${name}`)).end()
      await (await visit(cluster, `hidden-${name}`, '-c log_disconnections=off')).end()
    }
  })

  const find = async (names: string[] = [], isRecording = names.length === 0) =>
    findSessions(
      hosts.workspace,
      sessionsQuestion({ hosts: names, isRecording, sinceMs: 3_600_000, superusers: [] }),
    )
  /** What the ledger has about some sessions. */
  const rowsAbout = async (condition: string, value: unknown) => {
    const { rows } = await hosts.workspace.database.query(
      `select count(distinct session_id)::int as sessions, count(*) filter (where outcome = 'ended')::int as ended,
        count(*) filter (where flags && '{forged-record,line-gap}')::int as doubtful
      from cleverctl.session where ${condition}`,
      [value],
    )
    return rows[0] as unknown
  }
  const flagsOf = ({ sessions }: SessionsFound, application: string) =>
    sessions.filter((session) => session.application === application).map(({ flags }) => flags)

  it('come from every host, from jsonlog and from the file that stderr is', async () => {
    const found = await find()
    deepEqual(found.notRead, [])
    deepEqual([...new Set(found.sessions.map(({ server }) => server))].sort(), ['db1', 'db2'])
    for (const name of ['db1', 'db2']) {
      const [flags] = flagsOf(found, `quick-${name}`)
      ok(flags?.includes('superuser-without-grant'), 'the server says who is superuser')
      ok(!flags?.includes('no-disconnection'))
    }
  })

  it('tell who hid their end from who is still in', async () => {
    const [cluster] = hosts.clusters
    const visitor = await visit(cluster as Cluster, 'stays')
    const found = await find(['db1'])
    await visitor.end()
    ok(flagsOf(found, 'hidden-db1')[0]?.includes('no-disconnection'))
    ok(!flagsOf(found, 'stays')[0]?.includes('no-disconnection'))
    equal(found.sessions.find(({ application }) => application === 'stays')?.outcome, 'open')
    ok(found.sessions.every(({ server }) => server === 'db1'))
  })

  /** Follows a host for the ledger until the work is done. @returns what was warned of */
  const following = async (
    work: (until: (line: string) => Promise<void>, warnings: readonly string[]) => Promise<void>,
    host = 'db1',
  ) => {
    const stop = new AbortController()
    const [seen, warnings]: [Set<string>, string[]] = [new Set(), []]
    const log = { ...silentLog, warn: (text: string) => warnings.push(text) }
    const followed = followSessions(
      { ...hosts.workspace, log, signal: stop.signal },
      sessionsQuestion({ hosts: [host], isRecording: true }),
      async ({ application, outcome }) => void seen.add(`${application} ${outcome}`),
    )
    await work(async (line) => {
      while (!seen.has(line)) await Promise.race([followed, sleep(50)])
    }, warnings)
    stop.abort()
    ok((await followed).shown >= seen.size)
    return warnings
  }
  const LOST = /^db\d: the connection to \S+ was lost$/

  it('are followed until that is stopped, by another connection when one is cut', async () => {
    const [cluster] = hosts.clusters
    const warnings = await following(async (until) => {
      const visitor = await visit(cluster as Cluster, 'followed')
      await until('followed open')
      hosts.machines[0]?.cut()
      await (await visit(cluster as Cluster, 'during the cut')).end()
      await visitor.end()
      await until('during the cut ended')
      await until('followed ended')
    })
    match(warnings.join('\n'), LOST)
    const applications = ['followed', 'during the cut']
    const expected = { sessions: 2, ended: 2, doubtful: 0 }
    deepEqual(await rowsAbout('application = any ($1)', applications), expected)
  })

  it('are read on where a connection was cut in the middle of them', async () => {
    const [cluster] = hosts.clusters
    const old = join((cluster as Cluster).folder, 'data', "it's", 'old.json')
    const last = logOfVisit({ pid: BATCH + 501, user: 'ana', application: 'last of all' })
    writeFileSync(old, visits(BATCH + 500, 200) + last)
    const step = await haltLedger(hosts.workspace.database, BATCH - 10)
    const warnings = await following(async (until) => {
      await step.reached()
      hosts.machines[0]?.cut()
      while (process.getActiveResourcesInfo().includes('TCPSocketWrap')) await sleep(20)
      await step.release()
      await until('last of all ended')
    })
    match(warnings.join('\n'), LOST)
    const expected = { sessions: BATCH + 501, ended: BATCH + 501, doubtful: 0 }
    deepEqual(await rowsAbout(`role_name = $1`, 'ana'), expected)
    deepEqual((await find(['db1'], true)).notRead, [])
    deepEqual(await rowsAbout(`role_name = $1`, 'ana'), expected)
    rmSync(old)
  })

  it('that is not there are said to be so, and the others are read', async () => {
    const [cluster] = hosts.clusters
    await recordMachine(hosts.workspace, {
      ...{ name: 'db3', cluster: cluster as Cluster, key: hosts.key },
      machine: { ...(hosts.machines[0] as SshServer), port: await freePort() },
    })
    await rejects(find(), (error) => {
      ok(error instanceof ExpectedError)
      equal(error.exitCode, ExitCode.unreachable)
      const { sessions, notRead } = error.result as SessionsFound
      ok(sessions.some(({ server }) => server === 'db2'))
      deepEqual(
        notRead.map(({ log }) => log),
        ['db3'],
      )
      return true
    })
    await rejects(find(['db9']), NotFoundError)
  })

  it('that hold an unreadable file are not called good', async () => {
    const [cluster] = hosts.clusters
    const old = join((cluster as Cluster).folder, 'data', "it's", 'old.json.gz')
    writeFileSync(old, 'no gzip')
    await rejects(find(['db1']), (error) => {
      ok(error instanceof ExpectedError)
      equal(error.exitCode, ExitCode.failure)
      match((error.result as SessionsFound).notRead[0]?.log ?? '', /old\.json\.gz/)
      return true
    })
    rmSync(old)
  })

  it('are followed by another connection when a cable is pulled, which nothing tells', async () => {
    const [cluster, machine] = [hosts.clusters[0] as Cluster, hosts.machines[0] as SshServer]
    cable = await startSwallowingProxy(machine.port)
    const { port, swallow, restore } = cable
    await recordMachine(hosts.workspace, {
      ...{ name: 'db4', cluster, key: hosts.key },
      machine: { ...machine, address: '127.0.0.1', port },
    })
    const warnings = await following(async (until, warned) => {
      const visitor = await visit(cluster, 'before it')
      await until('before it open')
      swallow()
      await (await visit(cluster, 'without a cable')).end()
      await visitor.end()
      while (warned.length === 0) await sleep(50)
      restore()
      await until('without a cable ended')
      await until('before it ended')
    }, 'db4')
    match(warnings[0] ?? '', LOST)
    const expected = { sessions: 2, ended: 2, doubtful: 0 }
    deepEqual(await rowsAbout('application = any ($1)', ['before it', 'without a cable']), expected)
  })
})
