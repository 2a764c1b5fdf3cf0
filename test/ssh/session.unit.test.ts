import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ExitCode, ExpectedError } from '../../src/lib/errors.js'
import { Secret } from '../../src/lib/secret.js'
import { parseIdentity } from '../../src/lib/ssh/identity.js'
import { openSession, seeHostKey, type SshSession } from '../../src/lib/ssh/session.js'
import type { SshHost, SshLogin } from '../../src/lib/ssh/types.js'
import { ProcessList } from '../support/process-list.js'
import {
  ACCOUNT,
  canServeSsh,
  hostKeyOfFile,
  makeKey,
  PASSWORD,
  startDropbear,
  startSshd,
  type SshServer,
} from '../support/ssh.js'

const never = new AbortController().signal
const right: SshLogin = { kind: 'password', password: new Secret(PASSWORD) }
const wrong: SshLogin = { kind: 'password', password: new Secret('wrong-password') }

describe('SSH sessions', function () {
  let folder: string
  let key: string
  let sshd: SshServer
  let dropbear: SshServer

  before(async function () {
    if (!canServeSsh()) return this.skip()
    folder = mkdtempSync(join(tmpdir(), 'cctl-ssh-'))
    key = makeKey(folder, 'user')
    sshd = await startSshd({ keys: [key] })
    dropbear = await startDropbear()
  })
  after(async () => {
    await sshd?.stop()
    await dropbear?.stop()
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  })

  const identity = async (path = key, passphrase?: string): Promise<SshLogin> => ({
    kind: 'identity',
    identity: await parseIdentity(
      new Secret(readFileSync(path, 'utf8')),
      passphrase === undefined ? undefined : new Secret(passphrase),
      path,
    ),
  })
  const on = (server: SshServer, ...logins: SshLogin[]): SshHost => ({
    address: server.address,
    port: server.port,
    username: ACCOUNT,
    hostKey: server.hostKey,
    logins,
  })
  const open = (host: SshHost, jumps: SshHost[] = [], signal = never, connectTimeoutMs = 10_000) =>
    openSession(host, jumps, { signal, connectTimeoutMs })
  const using = async <Result>(
    session: Promise<SshSession>,
    work: (session: SshSession) => Promise<Result>,
  ): Promise<Result> => {
    const opened = await session
    try {
      return await work(opened)
    } finally {
      opened.close()
    }
  }
  /** What went wrong: its code and its exit code. */
  const failureOf = async (work: Promise<unknown>): Promise<[string, number]> => {
    try {
      await work
    } catch (error) {
      assert.ok(error instanceof ExpectedError, String(error))
      return [error.code, error.exitCode]
    }
    return assert.fail('it succeeded')
  }

  it('end at once although the link is cut: a program that is done must not wait', async () => {
    const far: Socket[] = []
    // It takes everything, says nothing any more, and never hangs up.
    const proxy = createServer({ allowHalfOpen: true }, (near) => {
      const there = connect(sshd.port, sshd.address)
      far.push(near, there)
      near.pipe(there, { end: false })
      there.pipe(near, { end: false })
    }).listen(0, '127.0.0.1')
    const sockets = () =>
      process.getActiveResourcesInfo().filter((each) => each === 'TCPSocketWrap').length
    try {
      await once(proxy, 'listening')
      const { port } = proxy.address() as AddressInfo
      const session = await open({ ...on(sshd, await identity()), port })
      for (const socket of far) socket.unpipe().pause()
      const before = sockets()
      session.close()
      for (let tries = 0; sockets() >= before; tries++) {
        assert.ok(tries < 100, 'the connection is still there')
        await sleep(50)
      }
    } finally {
      for (const socket of far) socket.destroy()
      proxy.close()
    }
  })

  it('log in by password, by identity and by agent, and run scripts', async () => {
    const agent = spawn('ssh-agent', ['-D', '-a', join(folder, 'agent')], { stdio: 'pipe' })
    try {
      await once(agent.stdout, 'data')
      const SSH_AUTH_SOCK = join(folder, 'agent')
      execFileSync('ssh-add', ['-q', key], { env: { ...process.env, SSH_AUTH_SOCK } })
      const hosts: SshHost[] = [
        on(dropbear, right),
        on(sshd, await identity()),
        on(sshd, { kind: 'agent', socket: SSH_AUTH_SOCK }),
        // A host that takes no password is not asked with one.
        on(sshd, wrong, await identity()),
      ]
      for (const host of hosts) {
        const { stdout, code } = await using(open(host), (session) => session.run('id -un'))
        assert.deepEqual([stdout.toString(), code], ['root\n', 0])
      }
    } finally {
      agent.kill()
    }
  })

  it('open encrypted identities of every kind with their passphrase', async () => {
    for (const type of ['ed25519', 'ecdsa', 'rsa']) {
      const path = makeKey(folder, `locked-${type}`, type, 'open sesame')
      const server = await startSshd({ keys: [path] })
      try {
        const login = await identity(path, 'open sesame')
        assert.equal((await using(open(on(server, login)), (each) => each.run('true'))).code, 0)
      } finally {
        await server.stop()
      }
      assert.deepEqual(await failureOf(identity(path)), ['missing-passphrase', ExitCode.usage])
      assert.deepEqual(await failureOf(identity(path, 'x')), ['bad-identity', ExitCode.usage])
      assert.deepEqual(await failureOf(identity(`${path}.pub`)), ['bad-identity', ExitCode.usage])
    }
  })

  it('tell a changed host key, a refused credential and an unreachable machine apart', async () => {
    const other = hostKeyOfFile(`${makeKey(folder, 'other')}.pub`)
    const ecdsa = hostKeyOfFile(`${makeKey(folder, 'other-ecdsa', 'ecdsa')}.pub`)
    for (const hostKey of [other, ecdsa]) {
      const opened = open({ ...on(dropbear, right), hostKey })
      assert.deepEqual(await failureOf(opened), ['host-key-changed', ExitCode.conflict])
    }
    const refused = ['ssh-login-refused', ExitCode.refused]
    assert.deepEqual(await failureOf(open(on(dropbear, wrong))), refused)
    assert.deepEqual(await failureOf(open(on(sshd, right))), refused)
    const gone = { ...on(dropbear, right), port: 1 }
    assert.deepEqual(await failureOf(open(gone)), ['ssh-unreachable', ExitCode.unreachable])
  })

  it('offer a credential to no host that did not prove the pinned key', async () => {
    const before = dropbear.log()
    const other = hostKeyOfFile(`${makeKey(folder, 'another')}.pub`)
    await failureOf(open({ ...on(dropbear, wrong), hostKey: other }))
    await failureOf(open(on(dropbear, wrong)))
    const said = dropbear.log().slice(before.length)
    assert.equal(said.match(/Bad password attempt/g)?.length, 1, said)
  })

  it('tell a host that lets everybody in from one that took the credential', async () => {
    const server = await startDropbear({ password: '' })
    try {
      const opened = open(on(server, right))
      assert.deepEqual(await failureOf(opened), ['ssh-open-to-all', ExitCode.refused])
    } finally {
      await server.stop()
    }
  })

  describe('with machines that misbehave', () => {
    let server: Server
    const listen = async (answer: (server: Server) => void): Promise<SshHost> => {
      server = createServer()
      answer(server)
      await once(server.listen(0, '127.0.0.1'), 'listening')
      const { port } = server.address() as AddressInfo
      return { ...on(dropbear, right), port }
    }
    afterEach(() => server.close())

    it('give up on one that never says a word', async () => {
      const host = await listen(() => undefined)
      const opened = open(host, [], never, 300)
      assert.deepEqual(await failureOf(opened), ['ssh-timeout', ExitCode.unreachable])
    })

    it('tell of one that hangs up at once', async () => {
      const host = await listen((each) => each.on('connection', (socket) => socket.destroy()))
      assert.deepEqual(await failureOf(open(host)), ['ssh-closed', ExitCode.unreachable])
    })

    it('tell of one that speaks something else', async () => {
      const host = await listen((each) =>
        each.on('connection', (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
      )
      const [, exitCode] = await failureOf(open(host))
      assert.ok(exitCode === ExitCode.unreachable || exitCode === ExitCode.failure)
    })

    it('stop waiting when the command is interrupted', async () => {
      const host = await listen(() => undefined)
      const stop = new AbortController()
      const opened = open(host, [], stop.signal)
      opened.catch(() => undefined)
      stop.abort(new Error('stopped'))
      await assert.rejects(opened, /stopped/)
    })
  })

  it('bring stdin over byte by byte, and show none of it in the list of processes', async () => {
    const secret = Buffer.concat([
      Buffer.from(`'"\\$\`#%\t-ü\r\n`),
      randomBytes(100_000),
      Buffer.from('end'),
    ])
    const seen = new ProcessList()
    seen.start()
    for (const host of [on(dropbear, right), on(sshd, await identity())]) {
      const script = 'cat; sleep 0.3 # the script is seen'
      const limits = { stdin: secret }
      const { stdout } = await using(open(host), (each) => each.run(script, limits))
      assert.ok(stdout.equals(secret))
    }
    seen.stop()
    assert.match(seen.text(), /the script is seen/)
    assert.doesNotMatch(seen.text(), /correct/)
  })

  it('tell exactly how a script ended', async () => {
    for (const host of [on(dropbear, right), on(sshd, await identity())]) {
      await using(open(host), async (session) => {
        const { stdout, stderr, code } = await session.run('echo out; echo err >&2; exit 7')
        assert.deepEqual([String(stdout), String(stderr), code], ['out\n', 'err\n', 7])
        const killed = await session.run('kill -9 $$')
        assert.deepEqual([killed.code, killed.signal], [null, 'SIGKILL'])
        assert.equal((await session.run('no-such-command')).code, 127)
        // What is given to a script that does not read is no failure.
        assert.equal((await session.run('exit 0', { stdin: Buffer.alloc(1 << 20) })).code, 0)
      })
    }
  })

  it('bound what a script writes and how long it takes', async () => {
    await using(open(on(dropbear, right)), async (session) => {
      const endless = session.run('while :; do echo xxxxxxxxxxxxxxxx; done', {
        maxOutputBytes: 10_000,
      })
      assert.deepEqual(await failureOf(endless), ['ssh-output-too-long', ExitCode.failure])
      const slow = session.run('sleep 20', { timeoutMs: 200 })
      assert.deepEqual(await failureOf(slow), ['ssh-timeout', ExitCode.unreachable])
      assert.equal((await session.run('true')).code, 0)
    })
  })

  it('tell of a connection that is lost while a script runs, and of one that was', async () => {
    const server = await startDropbear()
    const session = await open(on(server, right))
    const lost = ['ssh-lost', ExitCode.unreachable]
    const work = session.run(`sleep 0.2; kill -9 $PPID; sleep 20`)
    assert.deepEqual(await failureOf(work), lost)
    assert.deepEqual(await failureOf(session.run('true')), lost)
    session.close()
    await server.stop()
  })

  it('go through jump hosts, each of which proves its key', async () => {
    const last = await startDropbear({ address: '127.0.1.7' })
    try {
      const login = await identity()
      const jumps = [on(sshd, login), on(dropbear, right)]
      const { stdout } = await using(open(on(last, right), jumps), (each) => each.run('echo here'))
      assert.equal(String(stdout), 'here\n')
      const other = hostKeyOfFile(`${makeKey(folder, 'no-jump')}.pub`)
      const changed = ['host-key-changed', ExitCode.conflict]
      const first = { ...on(sshd, login), hostKey: other }
      assert.deepEqual(await failureOf(open(on(last, right), [first])), changed)
      const gone = { ...on(last, right), port: 1 }
      assert.deepEqual(await failureOf(open(gone, jumps)), [
        'ssh-unreachable',
        ExitCode.unreachable,
      ])
    } finally {
      await last.stop()
    }
  })

  it('see the host key of a machine without a login, of the type that is wanted', async () => {
    const keys = ['ed25519', 'ecdsa', 'rsa'].map((type) => makeKey(folder, `host-${type}`, type))
    const server = await startSshd({ keys: [key], hostKeys: keys })
    try {
      for (const wanted of keys.map((path) => hostKeyOfFile(`${path}.pub`))) {
        const seen = await seeHostKey(server, [], {
          signal: never,
          accepts: ({ fingerprint }) => fingerprint === wanted.fingerprint,
        })
        assert.deepEqual(seen, wanted)
        const host = { ...on(server, await identity()), hostKey: wanted }
        assert.equal((await using(open(host), (each) => each.run('true'))).code, 0)
      }
      const none = await seeHostKey(server, [], { signal: never, accepts: () => false })
      assert.equal(none.type, 'ssh-ed25519')
    } finally {
      await server.stop()
    }
  })
})
