import { deepEqual, equal, ok } from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ShownCa } from '../../src/lib/access/ca/types.js'
import { databaseUrl } from '../support/database.js'
import { runCli, type CliResult } from '../support/cli.js'
import { trustClients } from '../support/client-ca.js'
import { isLetIn } from '../support/login.js'
import { seeded } from '../support/seeded.js'
import { startServer, type TestServer } from '../support/server.js'

const ROUNDS = 6
const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000)

type Method = 'password' | 'certificate'

interface Kept {
  role: string
  state: string
}

describe(`grants whose commands are killed (SEED=${SEED})`, () => {
  let server: TestServer
  let folder: string

  before(async () => {
    server = await startServer()
    folder = mkdtempSync(join(tmpdir(), 'cctl-grant-kill-'))
    const added = await run(
      ['staff', 'add', 'ana@example.com', '--name', 'Ana', '--role-name', 'ana'],
      ['--network', '127.0.0.1'],
    )
    equal(added.code, 0, added.stderr)
    const made = await run(['access', 'ca', 'create'])
    equal(made.code, 0, made.stderr)
    await trustClients(server, JSON.parse(made.stdout) as ShownCa)
  })
  after(async () => {
    await server.stop()
    rmSync(folder, { recursive: true })
  })

  const url = () => databaseUrl(server.cluster, 'cleverctl')

  /** Runs a command, and kills it after a while where one is given. */
  async function run(
    words: readonly string[],
    more: readonly string[] = [],
    killAfterMs?: number,
  ): Promise<CliResult> {
    return runCli([...words, ...more, '--json', '--verbose'], {
      home: folder,
      env: { CLEVERCTL_DATABASE_URL: url() },
      onStart: (child) => {
        if (killAfterMs !== undefined) setTimeout(() => child.kill('SIGKILL'), killAfterMs).unref()
      },
    })
  }

  const opens = (role: string, file: string, method: Method) => {
    const secret = readFileSync(file, 'utf8')
    const proof =
      method === 'password'
        ? { password: secret.trim() }
        : { key: secret, cert: readFileSync(`${file}.crt`, 'utf8') }
    return isLetIn({ port: server.port, role, database: 'postgres', proof })
  }

  /** The logins of grants that exist and may log in. */
  async function logins(): Promise<string[]> {
    const { rows } = await server.administer(
      `select rolname as name from pg_roles where rolname like 'cleverctl\\_g\\_%' and rolcanlogin order by 1`,
    )
    return (rows as { name: string }[]).map(({ name }) => name)
  }

  /** The grants that are written down and not over. */
  async function open(): Promise<Kept[]> {
    const { rows } = await server.administer(
      `select role_name as role, state from cleverctl.access_grant where state <> 'ENDED' order by 1`,
    )
    return rows as Kept[]
  }

  /** Nobody has more than is written down. */
  async function checkLogins(): Promise<void> {
    const known = (await open()).map(({ role }) => role)
    deepEqual(
      (await logins()).filter((role) => !known.includes(role)),
      [],
    )
  }

  it('are in force or not, never more than is written down, and the same command finishes', async () => {
    const random = seeded(SEED)
    const next = () => random.below(1000) / 1000
    const command = ['access', 'grant', 'ana@example.com', '--for', '1h', '--reason', 'kill']
    const revoke = ['access', 'revoke', 'ana@example.com']
    const timed = async (words: readonly string[]) => {
      const began = performance.now()
      const { code, stdout, stderr } = await run(words)
      equal(code, 0, stdout + stderr)
      return performance.now() - began
    }
    const first = [...command, '--output', join(folder, 'first'), '--certificate']
    const [grantMs, revokeMs] = [await timed(first), await timed(revoke)]
    for (let round = 0; round < ROUNDS; round += 1) {
      const method = round % 2 === 0 ? 'password' : 'certificate'
      const file = join(folder, `${method}-${round}`)
      const words = [...command, '--output', file, ...(round % 2 === 0 ? [] : ['--certificate'])]
      await run(words, [], grantMs * (0.4 + 0.7 * next()))
      await checkLogins()
      const finished = await run(words)
      equal(finished.code, 0, `round ${round}: ${finished.stdout}${finished.stderr}`)
      const [grant, other] = await open()
      ok(grant && !other)
      equal(grant.state, 'ACTIVE')
      ok(existsSync(file) && !existsSync(`${file}.pending`))
      ok(await opens(grant.role, file, method), `round ${round}: the engineer is locked out`)

      await run(revoke, [], revokeMs * (0.4 + 0.7 * next()))
      await checkLogins()
      const ended = await run(revoke)
      equal(ended.code, 0, `round ${round}: ${ended.stdout}${ended.stderr}`)
      deepEqual([await open(), await logins()], [[], []])
      ok(!(await opens(grant.role, file, method)))
    }
  })
})
