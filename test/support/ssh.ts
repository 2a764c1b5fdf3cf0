import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { HostKey, HostKeyType } from '../../src/lib/ssh/types.js'
import { freePort } from '../../src/lib/free-port.js'
import { childrenOf } from './process-list.js'

/** The account that logs in; its password in a test's dropbear. */
export const ACCOUNT = 'root'
export const PASSWORD = `P'w "\\$ü-correct`

/** Whether this machine can run what the tests of SSH start: Debian's programs, as root. */
export function canServeSsh(): boolean {
  const isThere = ['/usr/sbin/sshd', '/usr/sbin/dropbear', '/usr/bin/unshare'].every(existsSync)
  return isThere && process.getuid?.() === 0
}

/** An SSH server of a test's own. */
export interface SshServer {
  address: string
  port: number
  hostKey: HostKey
  /** What it wrote so far. */
  log(): string
  /** Ends the connections that are open, as a machine that loses them would; new ones are taken. */
  cut(): void
  stop(): Promise<void>
}

/** A new private key by ssh-keygen. @returns its path; the public key is beside it */
export function makeKey(folder: string, name: string, type = 'ed25519', passphrase = ''): string {
  const path = join(folder, name)
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', passphrase, '-C', name, '-f', path])
  return path
}

/** What ssh-keygen says of a public key's type and fingerprint. */
export function hostKeyOfFile(publicKey: string): HostKey {
  const [type = ''] = readFileSync(publicKey, 'utf8').split(' ')
  const [, fingerprint = ''] = execFileSync('ssh-keygen', ['-l', '-f', publicKey], {
    encoding: 'utf8',
  }).split(' ')
  return { type: type as HostKeyType, fingerprint }
}

/**
 * The real OpenSSH server; `keys` open it, and no password does.
 * @param given.hostKeys paths of private keys; without them a new ed25519 one
 */
export async function startSshd(given: {
  keys: readonly string[]
  hostKeys?: readonly string[]
  settings?: readonly string[]
  address?: string
  port?: number
}): Promise<SshServer> {
  const folder = mkdtempSync(join(tmpdir(), 'cctl-sshd-'))
  const hostKeys = given.hostKeys ?? [makeKey(folder, 'host')]
  const { address = '127.0.0.1', port = await freePort() } = given
  const authorized = given.keys.map((path) => readFileSync(`${path}.pub`, 'utf8')).join('')
  writeFileSync(join(folder, 'authorized'), authorized, { mode: 0o600 })
  const settings = [
    ...(given.settings ?? []),
    `ListenAddress ${address}`,
    `Port ${port}`,
    ...hostKeys.map((path) => `HostKey ${path}`),
    `AuthorizedKeysFile ${join(folder, 'authorized')}`,
    `PidFile ${join(folder, 'pid')}`,
    'PermitRootLogin yes',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'StrictModes no',
    'UsePAM no',
  ]
  writeFileSync(join(folder, 'config'), `${settings.join('\n')}\n`)
  mkdirSync('/run/sshd', { recursive: true })
  const child = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', join(folder, 'config')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const hostKey = hostKeyOfFile(`${hostKeys[0]}.pub`)
  return running(child, { address, port, hostKey, folder })
}

/**
 * The real dropbear, with /etc/passwd and /etc/shadow of its own, in which {@link ACCOUNT} has the
 * password {@link PASSWORD}.
 * @param given.password another one; empty lets everybody in
 */
export async function startDropbear(
  given: { password?: string; address?: string; port?: number; hostKeyType?: string } = {},
): Promise<SshServer> {
  const folder = mkdtempSync(join(tmpdir(), 'cctl-dropbear-'))
  const { address = '127.0.0.1', port = await freePort(), password = PASSWORD } = given
  const { hostKeyType = 'ed25519' } = given
  const key = join(folder, 'host')
  execFileSync('dropbearkey', ['-t', hostKeyType, '-f', key], { stdio: 'ignore' })
  const listed = execFileSync('dropbearkey', ['-y', '-f', key], { encoding: 'utf8' })
  writeFileSync(`${key}.pub`, `${/^(?:ssh|ecdsa)-.*$/m.exec(listed)?.[0] ?? ''}\n`)
  const hash =
    password === ''
      ? ''
      : execFileSync('openssl', ['passwd', '-6', '-stdin'], { input: password, encoding: 'utf8' })
  writeFileSync(join(folder, 'passwd'), `${ACCOUNT}:x:0:0::/tmp:/bin/sh\n`)
  writeFileSync(join(folder, 'shadow'), `${ACCOUNT}:${hash.trim()}:19000:0:99999:7:::\n`)
  const script = `mount --bind ${folder}/passwd /etc/passwd && mount --bind ${folder}/shadow /etc/shadow &&
    exec /usr/sbin/dropbear -F -E -r ${key} -P ${folder}/pid -p ${address}:${port}${password === '' ? ' -B' : ''}`
  const child = spawn('unshare', ['--mount', 'sh', '-c', script], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  return running(child, { address, port, hostKey: hostKeyOfFile(`${key}.pub`), folder })
}

async function running(
  child: ChildProcess,
  given: { address: string; port: number; hostKey: HostKey; folder: string },
): Promise<SshServer> {
  const { address, port, hostKey, folder } = given
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text))
  const ended = once(child, 'exit')
  const server: SshServer = {
    address,
    port,
    hostKey,
    log: () => said,
    cut: () => {
      for (const pid of childrenOf(child.pid ?? 0)) process.kill(pid, 'SIGKILL')
    },
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
  for (let tries = 0; tries < 250; tries++) {
    if (child.exitCode !== null) throw new Error(`the server ended: ${said}`)
    if (await listens(address, port)) return server
    await sleep(20)
  }
  await server.stop()
  throw new Error(`the server does not listen: ${said}`)
}

async function listens(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port })
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
