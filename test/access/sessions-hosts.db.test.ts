import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { followSessions } from '../../src/lib/access/sessions/follow.js'
import { findSessions } from '../../src/lib/access/sessions/sessions.js'
import type { SessionsFound } from '../../src/lib/access/sessions/types.js'
import { ExitCode, ExpectedError, NotFoundError } from '../../src/lib/errors.js'
import { startCluster, type Cluster } from '../support/cluster.js'
import { recordMachine, withDatabaseHosts, type DatabaseHosts } from '../support/database-host.js'
import { freePort } from '../support/server.js'
import { sessionsQuestion } from '../support/session-log.js'
import type { SshServer } from '../support/ssh.js'

const SETTINGS = [
  "listen_addresses = ''",
  'log_connections = on',
  'log_disconnections = on',
  "log_line_prefix = '%m [%p] %c %l '",
]

describe('sessions by the logs of hosts', function () {
  this.timeout(60_000)
  let hosts: DatabaseHosts

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

  it('are followed by one connection until that is stopped', async () => {
    const [cluster] = hosts.clusters
    const stop = new AbortController()
    const seen: string[] = []
    const following = followSessions(
      { ...hosts.workspace, signal: stop.signal },
      sessionsQuestion({ hosts: ['db1'], sinceMs: 3_600_000 }),
      async ({ application, outcome }) => void seen.push(`${application} ${outcome}`),
    )
    const until = async (line: string) => {
      while (!seen.includes(line)) await Promise.race([following, sleep(50)])
    }
    await until('quick-db1 ended')
    const visitor = await visit(cluster as Cluster, 'followed')
    await until('followed open')
    await visitor.end()
    await until('followed ended')
    stop.abort()
    equal((await following).shown, seen.length)
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
    writeFileSync(join((cluster as Cluster).folder, 'data', "it's", 'old.json.gz'), 'no gzip')
    await rejects(find(['db1']), (error) => {
      ok(error instanceof ExpectedError)
      equal(error.exitCode, ExitCode.failure)
      match((error.result as SessionsFound).notRead[0]?.log ?? '', /old\.json\.gz/)
      return true
    })
  })
})
