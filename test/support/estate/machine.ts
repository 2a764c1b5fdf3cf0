import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, openSync, closeSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { call } from './call.js'

const MACHINE = fileURLToPath(new URL('./machine.sh', import.meta.url))
const EVERY_MS = 10
const HOMES: Record<string, string> = {
  root: '/root',
  postgres: '/var/lib/postgresql',
  pgbackrest: '/var/lib/pgbackrest',
}

/**
 * One machine of an estate: namespaces with a root, users, processes, a network card and a disk of their own.
 * Everything of it ends with its first process, and that ends with the process that booted it.
 */
export class Machine {
  readonly name: string
  readonly address: string
  readonly #folder: string
  /** Process in whose network the cables end. */
  readonly #network: number
  #child: ChildProcess | undefined
  #pid = 0

  constructor(given: { name: string; address: string; folder: string; network: number }) {
    this.name = given.name
    this.address = given.address
    this.#folder = given.folder
    this.#network = given.network
  }

  /** Switches it on; what an earlier life left on its disk is there again, and what that had set up runs again. */
  async boot(): Promise<void> {
    const log = openSync(join(this.#folder, 'console.log'), 'a')
    // The whole machine ends when the test's process does, however that ends.
    const words = [
      ...['--pdeathsig', 'KILL', 'unshare', '--mount', '--uts', '--pid', '--ipc', '--net'],
      ...['--fork', '--kill-child', '--propagation', 'private'],
      ...['bash', MACHINE, this.name, this.#folder],
    ]
    const child = spawn('setpriv', words, { stdio: ['ignore', log, log], detached: true })
    closeSync(log)
    this.#child = child
    this.#pid = await this.#wait(() => this.#firstProcess())
    const mine = readlinkSync('/proc/self/ns/net')
    await this.#wait(() => readlinkSync(`/proc/${this.#pid}/ns/net`) !== mine)
    await this.#connect()
    await this.#wait(() => existsSync(`/proc/${this.#pid}/root/run/booted`))
  }

  /** Takes its power away: everything in it is gone at once; its disk stays. */
  async powerCut(): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    this.#child = undefined
    const ended = once(child, 'exit')
    process.kill(this.#pid, 'SIGKILL')
    await ended
  }

  /** Pulls its network cable. */
  async unplug(): Promise<void> {
    await this.#link('down')
  }

  /** Puts it in again. */
  async plug(): Promise<void> {
    await this.#link('up')
  }

  /** Runs a program on it, not by SSH. @returns its stdout; rejects with its stderr */
  async run(user: string, words: readonly string[], input: string | Buffer = ''): Promise<string> {
    const home = HOMES[user] ?? '/'
    return call(
      'nsenter',
      [
        ...['-t', String(this.#pid), '--mount', '--uts', '--net', '--pid', '--ipc', '--wdns=/'],
        ...['setpriv', '--reuid', user, '--regid', user, '--init-groups', 'env', '-i'],
        ...[`HOME=${home}`, `USER=${user}`, `LOGNAME=${user}`, 'LC_ALL=C.UTF-8'],
        ...['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', ...words],
      ],
      input,
    )
  }

  /** Runs a script of the shell on it as root. */
  async script(text: string): Promise<string> {
    return this.run('root', ['sh', '-euc', text])
  }

  /** Writes a file on it, and its folder. @param owner may be `user:group` */
  async write(path: string, text: string, owner = 'root', mode = '644'): Promise<void> {
    const script =
      'umask 077; mkdir -p "$(dirname "$1")"; cat >"$1"; chmod "$3" "$1"; chown "$2" "$1"'
    await this.run('root', ['sh', '-euc', script, 'sh', path, owner, mode], text)
  }

  #firstProcess(): number {
    const pid = this.#child?.pid
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
    return Number(children.split(' ')[0])
  }

  /** A cable from the machine's card `eth0` to the switch of the estate. */
  async #connect(): Promise<void> {
    const cable = `to-${this.name}`
    // The same card in every life, or the others look for the former one for seconds.
    const card = `02:00:00:00:00:${this.address.split('.').at(-1)?.padStart(2, '0')}`
    const make = `ip link add ${cable} type veth peer name eth0 address ${card} netns ${this.#pid} &&
      ip link set ${cable} master switch up`
    await call('nsenter', [...this.#switch(), 'sh', '-euc', make])
    const up = `ip link set lo up; ip address add ${this.address}/24 dev eth0; ip link set eth0 up`
    await call('nsenter', ['-t', String(this.#pid), '--net', 'sh', '-euc', up])
  }

  async #link(state: 'up' | 'down'): Promise<void> {
    await call('nsenter', [...this.#switch(), 'ip', 'link', 'set', `to-${this.name}`, state])
  }

  #switch(): string[] {
    return ['-t', String(this.#network), '--net']
  }

  async #wait<Value>(look: () => Value): Promise<Value> {
    for (;;) {
      const child = this.#child
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) {
        const said = readFileSync(join(this.#folder, 'console.log'), 'utf8')
        throw new Error(`${this.name} did not boot: ${said}`)
      }
      try {
        const value = look()
        if (value) return value
      } catch {
        // Not there yet.
      }
      await sleep(EVERY_MS)
    }
  }
}
