import { setMaxListeners } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import limit from 'p-limit'
import { Secret } from '../src/lib/secret.js'
import { parseIdentity } from '../src/lib/ssh/identity.js'
import { openSession, type SshSession } from '../src/lib/ssh/session.js'
import { startTestRouter, type TestRouter } from '../test/support/router/test-router.js'
import { makeKey } from '../test/support/ssh.js'
import { quietEnvironment, runAside, runOnce } from './measure.js'
import type { Cluster } from './throwaway-cluster.js'

/** Routers of the tests on this machine, and how the tool and others get to them. */
export interface Fleet {
  routers: readonly TestRouter[]
  /** Path of the OpenSSH key that opens each of them. */
  key: string
  /** The environment in which the tool knows them, as solar-1, solar-2, … */
  env: NodeJS.ProcessEnv
}

/** Wall time, and processor time of the program and its children, in seconds. */
export interface Spent {
  wall: number
  cpu: number
}

/** The options of `ssh` under which it asks nobody, pins nothing, and exchanges keys as ssh2 does. */
export const SSH_OPTIONS = [
  ...['BatchMode=yes', 'StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null'],
  ...['LogLevel=ERROR', 'KexAlgorithms=curve25519-sha256', 'ControlMaster=no'],
].flatMap((option) => ['-o', option])

/** Boots so many routers, which all take one key. End them with `stopMachines`. */
export async function startFleet(
  count: number,
  folder: string,
): Promise<Pick<Fleet, 'routers' | 'key'>> {
  mkdirSync(folder, { recursive: true })
  const key = makeKey(folder, 'fleet')
  const authorizedKeys = [readFileSync(`${key}.pub`, 'utf8').trim()]
  const routers: TestRouter[] = []
  const atOnce = limit(cpus().length)
  const boot = async () => routers.push(await startTestRouter({ authorizedKeys }))
  await Promise.all(Array.from({ length: count }, () => atOnce(boot)))
  return { routers, key }
}

/** Makes a database in which the routers are recorded, by their key, or by their passwords where many are. */
export async function recordFleet(
  program: readonly string[],
  cluster: Cluster,
  given: {
    name: string
    folder: string
    fleet: Pick<Fleet, 'routers' | 'key'>
    by: 'key' | 'password'
  },
): Promise<Fleet> {
  const { name, folder, fleet, by } = given
  cluster.psql('postgres', `create database ${name}`)
  const env = quietEnvironment({
    CLEVERCTL_HOME: join(folder, name),
    CLEVERCTL_DATABASE_URL: cluster.url(name),
  })
  runOnce([...program, 'init', '--yes', '--json'], { env })
  cluster.psql(
    name,
    `insert into cleverctl.installation (code, name, timezone, latitude, longitude)
     select 'solar-' || n, 'Almeria', 'Europe/Madrid', 36.84, -2.46
     from generate_series(1, ${fleet.routers.length}) as n`,
  )
  if (by === 'password') {
    const list = join(folder, 'routers.csv')
    const rows = fleet.routers.map(({ address, port, password, hostKey }, index) =>
      [
        `solar-${index + 1}`,
        'openwrt',
        address,
        password,
        hostKey.fingerprint,
        port,
        '',
        '',
        '',
      ].join(),
    )
    const header = 'installation,driver,address,password,hostKey,port,username,ssid,wifiPassword'
    writeFileSync(list, `${[header, ...rows].join('\n')}\n`, { mode: 0o600 })
    runOnce([...program, 'router', 'import', list, '--offline', '--json'], { env })
    return { ...fleet, env }
  }
  const atOnce = limit(cpus().length)
  const add = async ({ address, port, hostKey }: TestRouter, index: number) => {
    const what = ['router', 'add', `solar-${index + 1}`, '--driver', 'openwrt', '--offline']
    const where = ['--address', address, '--port', String(port), '--identity', fleet.key]
    const done = await runAside(
      [...program, ...what, ...where, '--host-key', hostKey.fingerprint, '--json'],
      { env },
    )
    if (done.code !== 0) throw new Error(`router add ended with ${done.code}: ${done.stderr}`)
  }
  await Promise.all(fleet.routers.map((router, index) => atOnce(() => add(router, index))))
  return { ...fleet, env }
}

/** Runs a line of the shell by the shell's own clock; throws when the line fails. */
export function timed(command: string, env: NodeJS.ProcessEnv): Spent {
  const line = `TIMEFORMAT='%R %U %S'; { time { ${command}; }; } 2>&1`
  const { stdout } = runOnce(['bash', '-ec', line], { env })
  const [wall = 0, user = 0, system = 0] = (stdout.trim().split('\n').at(-1) ?? '')
    .split(' ')
    .map(Number)
  return { wall, cpu: user + system }
}

/** Does the same with each router over bare ssh2, so many at a time, and measures this process. */
export async function withBareSsh(
  { routers, key }: Pick<Fleet, 'routers' | 'key'>,
  concurrency: number,
  work: (open: () => Promise<SshSession>, index: number) => Promise<void>,
): Promise<Spent> {
  const identity = await parseIdentity(new Secret(readFileSync(key, 'utf8')), undefined, key)
  const { signal } = new AbortController()
  setMaxListeners(0, signal)
  const atOnce = limit(concurrency)
  const start = { at: performance.now(), cpu: process.cpuUsage() }
  await Promise.all(
    routers.map(({ address, port, hostKey }, index) =>
      atOnce(() => {
        const host = { address, port, username: 'root', hostKey }
        const logins = [{ kind: 'identity' as const, identity }]
        return work(() => openSession({ ...host, logins }, [], { signal }), index)
      }),
    ),
  )
  const { user, system } = process.cpuUsage(start.cpu)
  return { wall: (performance.now() - start.at) / 1000, cpu: (user + system) / 1e6 }
}

/** A word for the shell. */
export const quoted = (word: string): string => `'${word.replaceAll("'", String.raw`'\''`)}'`
