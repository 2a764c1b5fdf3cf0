import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { peerOptions } from '../../../src/lib/host/prepare/script.js'
import type { HostKey } from '../../../src/lib/ssh/types.js'
import { hostKeyOfFile, makeKey } from '../ssh.js'
import { call } from './call.js'
import { Machine } from './machine.js'
import { DATA, setUpCluster } from './cluster.js'
import { backupConfiguration, databaseConfiguration, SSHD } from './settings.js'

/** The machines by name, with the last number of their addresses. */
export const MACHINES = { db1: 11, db2: 12, db3: 13, bak1: 14 } as const
/** One of {@link MACHINES}. */
export type MachineName = keyof typeof MACHINES

/** Documentation addresses (RFC 5737): nothing outside the estate has one. */
const NETWORK = '192.0.2'
const DATABASES = ['db1', 'db2', 'db3'] as const
const DISK_BYTES = 2 * 1024 ** 3

/** Whether this machine can run an estate: Debian's programs, as root, with btrfs in the kernel. */
export function canRunEstate(): boolean {
  const programs = ['/usr/sbin/sshd', '/usr/bin/pgbackrest', '/usr/bin/nsenter', '/usr/bin/setpriv']
  const isThere = [...programs, '/usr/lib/postgresql/15/bin/postgres'].every(existsSync)
  const tools = ['mkfs.btrfs', 'ip'].every((name) =>
    ['/usr/sbin', '/sbin', '/usr/bin', '/bin'].some((folder) => existsSync(join(folder, name))),
  )
  return isThere && tools && process.getuid?.() === 0
}

/**
 * Four machines: db1 is the primary, db2 and db3 follow it, bak1 has the backups. Their network ends at a switch
 * in a namespace of its own, in which the test's commands run; nothing of it is seen outside.
 */
export class Estate {
  readonly folder: string
  /** The private key by which a command gets in, as postgres or pgbackrest. */
  readonly key: string
  /** Process in whose network commands run. */
  readonly network: number
  readonly #holder: ChildProcess
  readonly #machines: ReadonlyMap<string, Machine>

  private constructor(given: { folder: string; holder: ChildProcess; network: number }) {
    this.folder = given.folder
    this.network = given.network
    this.#holder = given.holder
    this.key = makeKey(given.folder, 'operator')
    this.#machines = new Map(
      Object.entries(MACHINES).map(([name, number]) => {
        const folder = join(this.folder, name)
        const address = `${NETWORK}.${number}`
        return [name, new Machine({ name, address, folder, network: given.network })]
      }),
    )
  }

  /**
   * Brings everything up, from nothing to a cluster whose WAL arrives at the backup machine.
   * @param given.isBare the machines stay as Debian leaves them: root comes in by {@link Estate.key}, and nothing is set up
   */
  static async up(given: { isBare?: boolean } = {}): Promise<Estate> {
    const folder = mkdtempSync(join(tmpdir(), 'cctl-estate-'))
    const holder = spawn(
      'setpriv',
      ['--pdeathsig', 'KILL', 'unshare', '--net', 'sleep', 'infinity'],
      {
        stdio: 'ignore',
      },
    )
    await once(holder, 'spawn')
    const network = holder.pid ?? 0
    await isApart(network)
    const estate = new Estate({ folder, holder, network })
    try {
      watch(folder)
      await estate.#raise(given.isBare === true)
      return estate
    } catch (error) {
      await estate.down()
      throw error
    }
  }

  /** The machine of that name. */
  machine(name: MachineName): Machine {
    const machine = this.#machines.get(name)
    if (machine === undefined) throw new TypeError(`no machine ${name}`)
    return machine
  }

  /** The file of hosts that all machines have. */
  hosts(): string {
    const lines = [...this.#machines.values()].map(({ address, name }) => `${address} ${name}\n`)
    return `127.0.0.1 localhost\n${lines.join('')}`
  }

  /** The key by which a machine is known. */
  hostKey(name: MachineName): HostKey {
    return hostKeyOfFile(join(this.folder, `host-${name}.pub`))
  }

  /** Runs one statement on a database machine as the superuser. @returns what psql prints, unaligned */
  async sql(name: MachineName, statement: string): Promise<string> {
    const words = ['psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', 'postgres', '-c', statement]
    return (await this.machine(name).run('postgres', words)).trimEnd()
  }

  /** Lets an administrator in as root by {@link key} on every machine. */
  async letRootIn(): Promise<void> {
    const key = readFileSync(`${this.key}.pub`, 'utf8')
    await Promise.all(
      [...this.#machines.values()].map(async (machine) => {
        await machine.write('/root/.ssh/authorized_keys', key, 'root', '600')
        await machine.script(
          `sed -i s/forced-commands-only/prohibit-password/ /etc/ssh/sshd_config
           kill -HUP "$(cat /run/sshd.pid)"`,
        )
      }),
    )
  }

  /** Ends it: its own processes, with which its mounts, interfaces and addresses go, and its files. */
  async down(): Promise<void> {
    for (const machine of this.#machines.values()) await machine.powerCut()
    if (this.#holder.exitCode === null && this.#holder.signalCode === null) {
      const ended = once(this.#holder, 'exit')
      this.#holder.kill('SIGKILL')
      await ended
    }
    rmSync(this.folder, { recursive: true, force: true })
  }

  async #raise(isBare: boolean): Promise<void> {
    const make = `ip link set lo up; ip link add switch type bridge forward_delay 0
      ip address add ${NETWORK}.1/24 dev switch; ip link set switch up`
    await call('nsenter', ['-t', String(this.network), '--net', 'sh', '-euc', make])
    for (const name of Object.keys(MACHINES)) {
      makeKey(this.folder, `host-${name}`)
      makeKey(this.folder, `from-${name}`)
    }
    const names = Object.keys(MACHINES) as MachineName[]
    await Promise.all(names.map((name) => this.#raiseMachine(name, isBare)))
    if (isBare) return
    await setUpCluster({
      primary: this.machine('db1'),
      standbys: [this.machine('db2'), this.machine('db3')],
      backup: this.machine('bak1'),
    })
  }

  async #raiseMachine(name: MachineName, isBare: boolean): Promise<void> {
    const machine = this.machine(name)
    const folder = join(this.folder, name)
    mkdirSync(folder)
    const disk = join(folder, 'disk.img')
    writeFileSync(disk, '')
    truncateSync(disk, DISK_BYTES)
    await call('mkfs.btrfs', ['--quiet', '--metadata', 'single', disk])
    await machine.boot()
    await this.#connectByName(machine, name)
    if (isBare) await this.#letRootIn(machine)
    else await this.#furnish(machine, name)
    await machine.script('touch /etc/estate/sshd; /usr/sbin/sshd -E /var/log/sshd.log')
  }

  /** What its place in the network gives a machine: the names of all, and a host key of its own. */
  async #connectByName(machine: Machine, name: MachineName): Promise<void> {
    await machine.script('mkdir -p /etc/estate; rm -f /etc/ssh/ssh_host_*')
    await machine.write('/etc/hosts', this.hosts())
    const key = (suffix: string) => readFileSync(join(this.folder, `host-${name}${suffix}`), 'utf8')
    await machine.write('/etc/ssh/ssh_host_ed25519_key', key(''), 'root', '600')
    await machine.write('/etc/ssh/ssh_host_ed25519_key.pub', key('.pub'))
  }

  /** The package's own sshd_config, and an administrator's key. */
  async #letRootIn(machine: Machine): Promise<void> {
    await machine.script('cp /usr/share/openssh/sshd_config /etc/ssh/sshd_config')
    const key = readFileSync(`${this.key}.pub`, 'utf8')
    await machine.write('/root/.ssh/authorized_keys', key, 'root', '600')
  }

  /** Users, names and keys, and who may come in by SSH. */
  async #furnish(machine: Machine, name: MachineName): Promise<void> {
    const file = (path: string) => readFileSync(join(this.folder, path), 'utf8')
    const names = Object.keys(MACHINES) as MachineName[]
    const known = names.map((each) => {
      const [type = '', key = ''] = file(`host-${each}.pub`).split(' ')
      return `${each},${this.machine(each).address} ${type} ${key}\n`
    })
    const isBackup = name === 'bak1'
    const user = isBackup ? 'pgbackrest' : 'postgres'
    const home = isBackup ? '/var/lib/pgbackrest' : '/var/lib/postgresql'
    await machine.script(
      `mkdir -p /var/log/postgresql /etc/pgbackrest
       usermod -p '*' postgres; chown postgres: /var/log/postgresql /var/lib/postgresql` +
        (isBackup
          ? `; groupadd -r pgbackrest; useradd -r -g pgbackrest -d ${home} -s /bin/bash -p '*' pgbackrest
             chown -R pgbackrest: ${home} /var/log/pgbackrest /var/spool/pgbackrest`
          : ''),
    )
    await machine.write('/etc/ssh/ssh_known_hosts', known.join(''))
    await machine.write('/etc/ssh/sshd_config', SSHD, 'root', '600')
    await machine.write(`${home}/.ssh/id_ed25519`, file(`from-${name}`), user, '600')
    const peers = isBackup ? DATABASES : (['bak1'] as const)
    const lines = peers.map((peer) => {
      const options = peerOptions({ addresses: [this.machine(peer).address] })
      return `${options} ${file(`from-${peer}.pub`)}`
    })
    const keys = [file('operator.pub'), ...lines].join('')
    await machine.write(`${home}/.ssh/authorized_keys`, keys, user, '600')
    await machine.script(`chown -R ${user}: ${home}/.ssh`)
    await machine.write(
      '/etc/pgbackrest/pgbackrest.conf',
      isBackup ? backupConfiguration(DATABASES, DATA) : databaseConfiguration(DATA),
      `root:${user}`,
      '640',
    )
  }
}

/** Waits until a process has left the network of this one. */
async function isApart(pid: number): Promise<void> {
  const inode = async (path: string) => (await call('readlink', [path])).trim()
  const mine = await inode('/proc/self/ns/net')
  while ((await inode(`/proc/${pid}/ns/net`).catch(() => mine)) === mine) await sleep(10)
}

/** A shell that outlives this process and then removes the files of the estate. */
function watch(folder: string): void {
  const script = 'while kill -0 "$1" 2>/dev/null && [ -e "$2" ]; do sleep 1; done; rm -rf "$2"'
  const words = ['-c', script, 'watchdog', String(process.pid), folder]
  spawn('/bin/sh', words, { detached: true, stdio: 'ignore', cwd: '/' }).unref()
}
