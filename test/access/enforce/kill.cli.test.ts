import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { runCli, type CliResult } from '../../support/cli.js'
import { startServer, type TestServer } from '../../support/server.js'
import { socketUrl } from '../../support/standby.js'
import { answersFor } from './sample.js'

/** Each of the three changes writes an entry before and one after it. */
const ENTRIES = 6

describe('enforcing that is killed', () => {
  let server: TestServer
  let folder: string

  before(async () => {
    server = await startServer()
    folder = mkdtempSync(join(tmpdir(), 'cctl-enforce-kill-'))
    for (const name of ['ana', 'leaver'])
      await succeed(['staff', 'add', `${name}@example.com`, '--name', name, '--role-name', name])
    const program = (name: string, ...roles: string[]) =>
      succeed([
        ...['service-account', 'add', name, '--purpose', name, '--owner', 'ana@example.com'],
        ...roles.flatMap((role) => ['--role-name', role]),
      ])
    await program('bootstrap', 'postgres')
    await program('cleverctl', 'owner', 'staff', 'gate', 'auditor')
    await program('app', 'app')
    await succeed(['staff', 'remove', 'leaver@example.com', '--yes'])
    await server.administer(
      answersFor({
        1: ['weak-method'],
        2: ['wide-address', 'everybody', 'superuser-over-network'],
      }),
    )
    await server.administer('alter role owner nocreaterole')
    for (const role of ['owner', 'staff', 'gate', 'auditor'])
      await server.administer(`alter role ${role} connection limit 50`)
    for (const role of ['ana', 'leaver'])
      await server.administer(
        `create role ${role} login connection limit 5 valid until '2098-01-01' password 'of ${role}'`,
      )
  })
  after(async () => {
    await server.stop()
    rmSync(folder, { recursive: true })
  })

  /** Runs a command; with `killAtEntry` kills it as soon as it has written so many entries of the trail. */
  async function run(words: readonly string[], killAtEntry?: number): Promise<CliResult> {
    const url = socketUrl(server.cluster).replace('/postgres?', '/cleverctl?')
    const before = await entries()
    let isOver = false
    const result = runCli([...words, '--json'], {
      home: folder,
      env: { CLEVERCTL_DATABASE_URL: url },
      onStart: (child) => {
        const killAt = async (entry: number) => {
          while (!isOver && (await entries()) < before + entry) await sleep(10)
          child.kill('SIGKILL')
        }
        if (killAtEntry !== undefined) void killAt(killAtEntry)
      },
    })
    return result.finally(() => {
      isOver = true
    })
  }
  async function succeed(words: readonly string[]): Promise<CliResult> {
    const result = await run(words)
    equal(result.code, 0, result.stdout + result.stderr)
    return result
  }
  async function entries(): Promise<number> {
    const { rows } = await server.administer(
      `select count(*)::int as number from cleverctl.trail where action = 'access.enforce'`,
    )
    return (rows as { number: number }[])[0]?.number ?? 0
  }

  /** What the roles have that the list does not give them. */
  async function surplus(): Promise<string[]> {
    const { rows } = await server.administer(
      `select name from (values
         ('login', (select rolcanlogin from pg_roles where rolname = 'leaver')),
         ('bypassrls', (select rolbypassrls from pg_roles where rolname = 'ana')),
         ('more', (select rolsuper or rolcreaterole from pg_roles where rolname = 'app'))
       ) as had (name, has) where has`,
    )
    return (rows as { name: string }[]).map(({ name }) => name)
  }

  it('gives nobody more at any step, and the same command finishes', async () => {
    for (let entry = 1; entry <= ENTRIES; entry += 1) {
      const about = `killed at entry ${entry}`
      await server.administer('alter role leaver login')
      await server.administer('alter role ana bypassrls')
      await server.administer('drop role if exists app')
      const session = new pg.Client({
        ...{ host: 'localhost', port: server.port, user: 'leaver', password: 'of leaver' },
        ...{ database: 'cleverctl', ssl: { rejectUnauthorized: false } },
      })
      session.on('error', () => undefined)
      await session.connect()
      const former = await surplus()
      await run(['access', 'enforce', '--yes'], entry)
      const now = await surplus()
      ok(
        now.every((name) => former.includes(name)),
        `${about}: ${now.join(' ')}`,
      )
      const finished = await run(['access', 'enforce', '--yes'])
      equal(finished.code, 0, `${about}: ${finished.stdout}${finished.stderr}`)
      deepEqual(await surplus(), [], about)
      deepEqual((await server.administer(`select from pg_roles where rolname = 'app'`)).rowCount, 1)
      await rejects(session.query('select 1'), about)
    }
    const written = await entries()
    equal((await run(['access', 'enforce', '--yes'])).code, 0)
    equal(await entries(), written, 'nothing was left to change')
  })
})
