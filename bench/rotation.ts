import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openwrtScript } from '../src/lib/router/drivers/openwrt/script.js'
import type { SshSession } from '../src/lib/ssh/session.js'
import { stopMachines } from '../test/support/router/machine.js'
import {
  quoted,
  recordFleet,
  SSH_OPTIONS,
  startFleet,
  timed,
  withBareSsh,
  type Fleet,
  type Spent,
} from './fleet.js'
import { median, ratioFigure, runWithPeak, type Chapter, type Figure } from './measure.js'
import type { Cluster } from './throwaway-cluster.js'

const ROUTERS = 200
/** How many at a time, and how often each way is measured. */
const PACES = [
  { concurrency: 1, rounds: 1 },
  { concurrency: 16, rounds: 3 },
  { concurrency: 64, rounds: 3 },
]
const IN_FLIGHT = 1000
const MAX_MIB = 200
/** Each way finds what the former one set, which none of the others knows. */
const ROTATE = [
  ...['router', 'rotate', '--all', '--what', 'wifi,name', '--overwrite', '--yes', '--quiet'],
]
const SCRIPT = Buffer.from(await openwrtScript('change.sh'))

type Way = 'rotate' | 'ansible' | 'bare'

/**
 * `router rotate` of Wi-Fi names and passphrases, against `ansible` that sets the same two options of uci and nothing
 * else, and against bare ssh2: the two connections of a rotation with the same scripts, and neither database nor test.
 */
export async function measureRotation(
  program: readonly string[],
  cluster: Cluster,
  directory: string,
): Promise<Chapter> {
  const folder = join(directory, 'rotation')
  try {
    const started = await startFleet(ROUTERS, folder)
    const given = { name: 'rotation', folder, fleet: started, by: 'key' } as const
    const fleet = await recordFleet(program, cluster, given)
    const figures: Figure[] = []
    for (const { concurrency, rounds } of PACES) {
      const spent: Record<Way, Spent[]> = { rotate: [], ansible: [], bare: [] }
      for (let round = 0; round < rounds; round++) {
        spent.rotate.push(rotate(program, fleet, concurrency))
        spent.ansible.push(ansible(fleet, folder, concurrency))
        spent.bare.push(await withBareSsh(fleet, concurrency, changeBarely))
      }
      figures.push(...figuresOf(spent, concurrency))
    }
    return {
      title: 'Rotating routers',
      method: `${ROUTERS} routers of the tests on the same machine, which share its processors; \`--what wifi,name\`, key login, curve25519. One round at 1 at a time, else the median of 3 taken in turns. \`ansible\` sets the same options by one \`raw\` task over one connection, without copy, switch, test or record. Bare ssh2 makes the two connections of a rotation and runs the same scripts there, without the tests and the database. Processor time is that of the program and its children; PostgreSQL's is not in it.`,
      figures,
    }
  } finally {
    await stopMachines()
  }
}

/** What so many rotations at a time hold in memory. */
export async function measureFlight(
  program: readonly string[],
  cluster: Cluster,
  directory: string,
): Promise<Chapter> {
  const folder = join(directory, 'flight')
  try {
    const started = await startFleet(IN_FLIGHT, folder)
    const given = { name: 'flight', folder, fleet: started, by: 'password' } as const
    const { env } = await recordFleet(program, cluster, given)
    // All of them go on at the same pace: on few processors none is confirmed within the usual 5 minutes.
    const patience = ['--rollback-after', '1h', '--concurrency', String(IN_FLIGHT)]
    const command = [...program, ...ROTATE, ...patience]
    const { ms, peakMiB } = runWithPeak(command, { env })
    return {
      title: 'Many routers at a time',
      method: `${IN_FLIGHT} routers of the tests on the same machine, all of them rotated at once: \`--what wifi,name\`, password login. The most memory that the program held.`,
      figures: [
        { what: 'wall time', figure: `${(ms / 1000).toFixed(1)} s` },
        {
          what: 'memory',
          figure: `${peakMiB.toFixed(0)} MiB`,
          bar: { text: `at most ${MAX_MIB} MiB`, reached: peakMiB <= MAX_MIB },
        },
      ],
    }
  } finally {
    await stopMachines()
  }
}

function rotate(program: readonly string[], { env }: Fleet, concurrency: number): Spent {
  const words = [...program, ...ROTATE, '--concurrency', String(concurrency)]
  return timed(`${words.map(quoted).join(' ')} >/dev/null`, env)
}

function ansible({ routers, key, env }: Fleet, folder: string, concurrency: number): Spent {
  const inventory = join(folder, 'inventory')
  const hosts = routers.map(
    ({ address, port }, index) =>
      `solar-${index + 1} ansible_host=${address} ansible_port=${port} ssid=plant-${index + 1} key=${newKey()}`,
  )
  writeFileSync(inventory, `${hosts.join('\n')}\n`)
  const section = 'wireless.default_radio0'
  const change = `uci set ${section}.ssid={{ssid}} && uci set ${section}.key={{key}} && uci commit wireless && wifi reload`
  const options = ['--private-key', key, '-u', 'root', '-m', 'raw', '-a', change]
  const words = ['ansible', 'all', '-i', inventory, '-f', String(concurrency), ...options]
  return timed(`${words.map(quoted).join(' ')} >/dev/null`, {
    ...env,
    ANSIBLE_SSH_ARGS: SSH_OPTIONS.join(' '),
    // The routers of the tests have no terminals to give.
    ANSIBLE_SSH_USETTY: 'False',
    ANSIBLE_HOST_KEY_CHECKING: 'False',
    ANSIBLE_LOCALHOST_WARNING: 'False',
  })
}

/** The commands of a rotation, with nothing around them. */
async function changeBarely(open: () => Promise<SshSession>, index: number): Promise<void> {
  // The timer of an earlier change on the router must not know this one.
  const id = `bench-${newKey()}`
  const path = `/tmp/cleverctl-${id}.sh`
  const run = async (session: SshSession, script: string, stdin?: Buffer) => {
    const { code, stdout, stderr } = await session.run(script, stdin && { stdin })
    if (code !== 0) throw new Error(`${script} ended with ${code}: ${stderr.toString('utf8')}`)
    return stdout.toString('utf8')
  }
  const look = `umask 077; cat >${path} && sh ${path} look salt`
  const first = await open()
  const [, section = ''] = /^ap (\S+)/m.exec(await run(first, look, SCRIPT)) ?? []
  await run(first, `sh ${path} arm ${id} 300 wireless`)
  const orders = [`set ${section} ssid plant-${index}`, `set ${section} key ${newKey()}`, 'end', '']
  await run(first, `sh ${path} apply ${id}`, Buffer.from(orders.join('\n')))
  const second = await open()
  await run(second, look, SCRIPT)
  await run(second, `sh ${path} confirm ${id}; code=$?; rm -f ${path}; exit $code`)
  first.close()
  second.close()
}

const newKey = () => Math.random().toString(36).slice(2).padEnd(16, 'a')

function figuresOf(spent: Record<Way, Spent[]>, concurrency: number): Figure[] {
  const of = (way: Way, what: keyof Spent) => median(spent[way].map((each) => each[what]))
  const figure = (baseline: Way, what: keyof Spent, bar: number) => {
    const name = what === 'wall' ? 'wall time' : 'processor time'
    const against = baseline === 'bare' ? 'bare ssh2' : baseline
    return ratioFigure(
      `${name}, ${concurrency} at a time, against ${against}`,
      {
        figure: `${of('rotate', what).toFixed(1)} s`,
        baseline: `${of(baseline, what).toFixed(1)} s`,
        ratio: of('rotate', what) / of(baseline, what),
      },
      { atMost: bar },
    )
  }
  return [figure('ansible', 'wall', 1), figure('ansible', 'cpu', 0.33), figure('bare', 'wall', 2)]
}
