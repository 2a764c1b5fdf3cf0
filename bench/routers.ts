import { setMaxListeners } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Secret } from '../src/lib/secret.js'
import { parseIdentity } from '../src/lib/ssh/identity.js'
import { openSession } from '../src/lib/ssh/session.js'
import { stopMachines } from '../test/support/router/machine.js'
import { startTestRouter, type TestRouter } from '../test/support/router/test-router.js'
import { makeKey } from '../test/support/ssh.js'
import { median, quietEnvironment, ratioFigure, runOnce, type Chapter } from './measure.js'
import type { Cluster } from './throwaway-cluster.js'

const ROUTERS = 16
const AT_ONCE = 8
const ROUNDS = 3
const DATABASE = 'routers'
const ALONE = 'wall time, against ssh2 alone'
const SCRIPT = join(import.meta.dirname, '../src/lib/router/drivers/openwrt/inspect.sh')

/** Wall time, and processor time of the program and its children, in seconds. */
interface Spent {
  wall: number
  cpu: number
}

/**
 * `router check` of routers of the tests, against the same script sent by one `ssh` a router, and by ssh2 alone in one
 * process, taken in turns. What the routers themselves spend is the same in all three.
 */
export async function measureRouters(
  program: readonly string[],
  cluster: Cluster,
  directory: string,
): Promise<Chapter> {
  const folder = join(directory, 'routers')
  await mkdir(folder)
  const key = makeKey(folder, 'fleet')
  const authorizedKeys = [readFileSync(`${key}.pub`, 'utf8').trim()]
  try {
    const routers: TestRouter[] = []
    for (let each = 0; each < ROUTERS; each++)
      routers.push(await startTestRouter({ authorizedKeys }))
    const env = record(program, cluster, { folder, key, routers })
    const spent: Record<'check' | 'ssh' | 'bare', Spent[]> = { check: [], ssh: [], bare: [] }
    const check = [...program, 'router', 'check', '--all', '--concurrency', String(AT_ONCE)]
    const words = [...check, '--fail-on', 'error', '--quiet']
    for (let round = 0; round < ROUNDS; round++) {
      // They have the same secrets, which is found: exit code 8.
      spent.check.push(timed(`${words.map(quoted).join(' ')} >/dev/null 2>&1 || [ $? = 8 ]`, env))
      spent.ssh.push(timed(sshOfEach(routers, key), env))
      spent.bare.push(await bare(routers, key))
    }
    const of = (name: keyof typeof spent, what: keyof Spent) =>
      median(spent[name].map((each) => each[what]))
    const figure = (what: string, baseline: 'ssh' | 'bare', unit: keyof Spent) => ({
      what,
      figure: `${of('check', unit).toFixed(2)} s`,
      baseline: `${of(baseline, unit).toFixed(2)} s`,
      ratio: of('check', unit) / of(baseline, unit),
    })
    return {
      title: 'Checking routers',
      method: `Median of ${ROUNDS} rounds taken in turns: ${ROUTERS} routers of the tests (dropbear, ash, stand-ins for uci and ubus) on the same machine, ${AT_ONCE} at a time, key login, curve25519. The baselines send the same script, and compare nothing; \`ssh\` pins no host key either. The start of the program and its database count, here for few routers.`,
      figures: [
        figure('wall time, against one `ssh` a router', 'ssh', 'wall'),
        figure('processor time, against one `ssh` a router', 'ssh', 'cpu'),
        ratioFigure(ALONE, figure(ALONE, 'bare', 'wall'), { atMost: 2 }),
      ],
    }
  } finally {
    await stopMachines()
  }
}

function record(
  program: readonly string[],
  cluster: Cluster,
  given: { folder: string; key: string; routers: readonly TestRouter[] },
): NodeJS.ProcessEnv {
  const { folder, key, routers } = given
  cluster.psql('postgres', `create database ${DATABASE}`)
  const env = quietEnvironment({
    CLEVERCTL_HOME: join(folder, 'home'),
    CLEVERCTL_DATABASE_URL: cluster.url(DATABASE),
  })
  runOnce([...program, 'init', '--yes', '--json'], { env })
  cluster.psql(
    DATABASE,
    `insert into cleverctl.installation (code, name, timezone, latitude, longitude)
     select 'solar-' || n, 'Almeria', 'Europe/Madrid', 36.84, -2.46 from generate_series(1, ${ROUTERS}) as n`,
  )
  for (const [index, router] of routers.entries())
    runOnce(
      [
        ...[...program, 'router', 'add', `solar-${index + 1}`, '--driver', 'openwrt'],
        ...['--address', router.address, '--port', String(router.port), '--identity', key],
        ...['--host-key', router.hostKey.fingerprint, '--json'],
      ],
      { env },
    )
  return env
}

/** The shell's own clock; throws when the command fails. */
function timed(command: string, env: NodeJS.ProcessEnv): Spent {
  const line = `TIMEFORMAT='%R %U %S'; { time { ${command}; }; } 2>&1`
  const { stdout } = runOnce(['bash', '-ec', line], { env })
  const [wall = 0, user = 0, system = 0] = (stdout.trim().split('\n').at(-1) ?? '')
    .split(' ')
    .map(Number)
  return { wall, cpu: user + system }
}

function sshOfEach(routers: readonly TestRouter[], key: string): string {
  const options = [
    ...['BatchMode=yes', 'StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null'],
    ...['LogLevel=ERROR', 'KexAlgorithms=curve25519-sha256'],
  ].flatMap((option) => ['-o', option])
  const ssh = ['ssh', '-F', 'none', '-i', key, ...options].join(' ')
  const targets = routers.map(({ address, port }) => `-p ${port} root@${address}`).join('\n')
  const one = `echo salt | ${ssh} $0 "$(cat ${SCRIPT})" >/dev/null`
  return `printf '%s\\n' ${quoted(targets)} | xargs -P ${AT_ONCE} -I{} sh -c ${quoted(one.replace('$0', '{}'))}`
}

async function bare(routers: readonly TestRouter[], path: string): Promise<Spent> {
  const { default: limit } = await import('p-limit')
  const identity = await parseIdentity(new Secret(readFileSync(path, 'utf8')), undefined, path)
  const script = readFileSync(SCRIPT, 'utf8')
  const { signal } = new AbortController()
  setMaxListeners(0, signal)
  const atOnce = limit(AT_ONCE)
  const start = { at: performance.now(), cpu: process.cpuUsage() }
  await Promise.all(
    routers.map(({ address, port, hostKey }) =>
      atOnce(async () => {
        const host = { address, port, username: 'root', hostKey }
        const logins = [{ kind: 'identity' as const, identity }]
        const session = await openSession({ ...host, logins }, [], { signal })
        await session.run(script, { stdin: Buffer.from('salt\n') })
        session.close()
      }),
    ),
  )
  const { user, system } = process.cpuUsage(start.cpu)
  return { wall: (performance.now() - start.at) / 1000, cpu: (user + system) / 1e6 }
}

const quoted = (word: string) => `'${word.replaceAll("'", String.raw`'\''`)}'`
