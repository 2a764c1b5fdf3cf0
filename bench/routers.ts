import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openwrtScript } from '../src/lib/router/drivers/openwrt/script.js'
import { stopMachines } from '../test/support/router/machine.js'
import type { TestRouter } from '../test/support/router/test-router.js'
import {
  quoted,
  recordFleet,
  SSH_OPTIONS,
  startFleet,
  timed,
  withBareSsh,
  type Spent,
} from './fleet.js'
import { median, ratioFigure, type Chapter } from './measure.js'
import type { Cluster } from './throwaway-cluster.js'

const ROUTERS = 16
const AT_ONCE = 8
const ROUNDS = 3
const ALONE = 'wall time, against ssh2 alone'

/**
 * `router check` of routers of the tests, against the same script sent by one `ssh` a router, and by ssh2 alone in one
 * process, taken in turns. What the routers themselves spend is the same in all three.
 */
export async function measureRouters(
  program: readonly string[],
  cluster: Cluster,
  directory: string,
): Promise<Chapter> {
  const folder = join(directory, 'check')
  try {
    const started = await startFleet(ROUTERS, folder)
    const given = { name: 'routers', folder, fleet: started, by: 'key' } as const
    const fleet = await recordFleet(program, cluster, given)
    const spent: Record<'check' | 'ssh' | 'bare', Spent[]> = { check: [], ssh: [], bare: [] }
    const check = [...program, 'router', 'check', '--all', '--concurrency', String(AT_ONCE)]
    const words = [...check, '--fail-on', 'error', '--quiet']
    const script = await openwrtScript('inspect.sh')
    const scriptFile = join(folder, 'inspect.sh')
    writeFileSync(scriptFile, script)
    for (let round = 0; round < ROUNDS; round++) {
      // They have the same secrets, which is found: exit code 8.
      spent.check.push(
        timed(`${words.map(quoted).join(' ')} >/dev/null 2>&1 || [ $? = 8 ]`, fleet.env),
      )
      spent.ssh.push(timed(sshOfEach(fleet.routers, fleet.key, scriptFile), fleet.env))
      spent.bare.push(
        await withBareSsh(fleet, AT_ONCE, async (open) => {
          const session = await open()
          await session.run(script, { stdin: Buffer.from('salt\n') })
          session.close()
        }),
      )
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

function sshOfEach(routers: readonly TestRouter[], key: string, script: string): string {
  const ssh = ['ssh', '-F', 'none', '-i', key, ...SSH_OPTIONS].join(' ')
  const targets = routers.map(({ address, port }) => `-p ${port} root@${address}`).join('\n')
  const one = `echo salt | ${ssh} {} "$(cat ${script})" >/dev/null`
  return `printf '%s\\n' ${quoted(targets)} | xargs -P ${AT_ONCE} -I{} sh -c ${quoted(one)}`
}
