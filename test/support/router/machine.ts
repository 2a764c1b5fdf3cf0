import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { acquireRom, releaseRom, type Firmware } from './rom.js'

/** Keeps the mounts, and with a cable the network, of a machine that may be off. It ends with its stdin. */
const HOLD = `set -e
mount -t tmpfs -o "size=$3k,mode=755" flash "$1/flash"
mkdir "$1/flash/upper" "$1/flash/work"
mount -t overlay -o "lowerdir=$2,upperdir=$1/flash/upper,workdir=$1/flash/work" overlayfs:/overlay "$1/root"
mount --bind "$1/world" "$1/root/lib/testbed/world"
echo ready
cat >/dev/null
cd /
umount -l "$1/root/lib/testbed/world" "$1/root" "$1/flash"
rm -rf "$1"`

/** The first process of a machine that was switched on: what is mounted here ends with it. */
const SWITCH_ON = `set -e
mount -t proc proc "$1/proc"
mount -t tmpfs -o mode=1777 tmpfs "$1/tmp"
mount -t tmpfs -o mode=755 dev "$1/dev"
mkdir "$1/tmp/run" "$1/tmp/log" "$1/tmp/lock" "$1/tmp/sysinfo"
echo 'Test router' >"$1/tmp/sysinfo/model"
for device in null:3 zero:5 random:8 urandom:9; do
  mknod -m 666 "$1/dev/\${device%:*}" c 1 "\${device#*:}"
done
mknod -m 666 "$1/dev/tty" c 5 0
# Dropbear stirs all of it into its randomness at each connection. It holds the timers of this whole machine, not of a
# router alone, and takes their number squared: with hundreds of routers nothing else gets done.
[ ! -e "$1/proc/timer_list" ] || mount --bind "$1/dev/null" "$1/proc/timer_list"
for each in fd:fd stdin:fd/0 stdout:fd/1 stderr:fd/2; do
  ln -s "/proc/self/\${each#*:}" "$1/dev/\${each%:*}"
done
exec chroot "$1" /bin/busybox env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin /bin/ash /sbin/init`

const ENVIRONMENT = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' }

/** What a script inside a machine came to. */
export interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

const machines = new Set<Machine>()

/** Ends every machine that is still there: for the end of all tests. */
export async function stopMachines(): Promise<void> {
  await Promise.all([...machines].map((machine) => machine.stop()))
}

/** A machine in namespaces of its own: flash that outlives its power, and everything else that does not. */
export class Machine {
  readonly #firmware: Firmware
  readonly #folder: string
  readonly #holder: ChildProcess
  #running: { child: ChildProcess; init: number; ended: Promise<unknown> } | undefined
  #isOff = true
  #booting: Promise<void> | undefined
  #said = ''

  private constructor(firmware: Firmware, folder: string, holder: ChildProcess) {
    this.#firmware = firmware
    this.#folder = folder
    this.#holder = holder
    machines.add(this)
  }

  /** Lays a machine out; it is off. @param given.flashKiB how much its flash holds */
  static async make(given: {
    firmware: Firmware
    flashKiB: number
    hasNetwork: boolean
  }): Promise<Machine> {
    const { firmware, flashKiB, hasNetwork } = given
    const rom = acquireRom(firmware)
    const folder = mkdtempSync(join(tmpdir(), `cctl-router-${process.pid}-`))
    for (const name of ['root', 'flash', 'world']) mkdirSync(join(folder, name))
    const ways = ['--mount', ...(hasNetwork ? ['--net'] : [])]
    const holder = spawn('unshare', [...ways, 'sh', '-c', HOLD, 'sh', folder, rom, `${flashKiB}`], {
      stdio: ['pipe', 'pipe', 'pipe'],
      // Ctrl-C goes to the test, which ends it in order.
      detached: true,
    })
    const machine = new Machine(firmware, folder, holder)
    const first = await Promise.race([once(holder.stdout, 'data'), once(holder, 'exit')])
    if (String(first[0]) !== 'ready\n') {
      const why = String(holder.stderr.read() ?? '')
      await machine.stop()
      throw new Error(`no machine could be made: ${why}`)
    }
    return machine
  }

  /** The process by which the machine's mounts and its network are found. */
  get holder(): number {
    return this.#holder.pid as number
  }

  /** Whether it is switched on. */
  get isOn(): boolean {
    return this.#running !== undefined
  }

  /** Where a file of its flash is found from outside, also while it is off. */
  flashPath(path: string): string {
    return join(`/proc/${this.holder}/root`, this.#folder, 'root', path)
  }

  /** Where a file in its memory is found from outside, while it is on. */
  memoryPath(path: string): string {
    return join(`/proc/${this.#requireOn().init}/root`, path)
  }

  /** Where a file is found that belongs to its surroundings: it outlives everything. */
  worldPath(name: string): string {
    return join(this.#folder, 'world', name)
  }

  /** Takes all that is left of its flash, but for `leaveKiB`. */
  async fillFlash(leaveKiB: number): Promise<void> {
    const flash = join(`/proc/${this.holder}/root`, this.#folder, 'flash')
    await outside([
      'sh',
      '-c',
      `head -c ${leaveKiB * 1024} /dev/zero >"$1/spare"; cat /dev/zero >"$1/filler"; rm "$1/spare"`,
      'sh',
      flash,
    ])
  }

  /** Gives it back. */
  freeFlash(): void {
    rmSync(join(`/proc/${this.holder}/root`, this.#folder, 'flash', 'filler'), { force: true })
  }

  /** Switches it on, and waits until it has booted. A machine that reboots by itself comes back as well. */
  async boot(): Promise<void> {
    this.#isOff = false
    if (this.#running) return
    this.#booting ??= this.#switchOn().finally(() => (this.#booting = undefined))
    await this.#booting
  }

  /** Everything stops at once. */
  async cutPower(): Promise<void> {
    this.#isOff = true
    await this.#booting
    const running = this.#running
    if (!running) return
    process.kill(running.init, 'SIGKILL')
    await running.ended
  }

  /** Shuts down in order, and boots again. */
  async reboot(): Promise<void> {
    const { init, ended } = this.#requireOn()
    process.kill(init, 'SIGTERM')
    await ended
    await this.boot()
  }

  /** Runs a script inside, as root, beside everything that the machine does. */
  async run(script: string, stdin = ''): Promise<Ended> {
    const { init } = this.#requireOn()
    const ways = ['--mount', '--uts', '--ipc', '--net', '--pid', '--root', '--wd']
    return outside(
      ['nsenter', '--target', `${init}`, ...ways, '--', '/bin/ash', '-c', script],
      stdin,
    )
  }

  /** The first process and all that came of it, by their ids outside. */
  processes(): number[] {
    const { init } = this.#requireOn()
    const found: number[] = []
    for (const wanted = [init]; ;) {
      const pid = wanted.pop()
      if (pid === undefined) return found
      found.push(pid)
      wanted.push(...childrenOf(pid))
    }
  }

  /** Ends it, and leaves nothing behind. */
  async stop(): Promise<void> {
    await this.cutPower()
    this.#holder.stdin?.end()
    if (this.#holder.exitCode === null && this.#holder.signalCode === null)
      await once(this.#holder, 'exit')
    rmSync(this.#folder, { recursive: true, force: true })
    if (machines.delete(this)) releaseRom(this.#firmware)
  }

  async #switchOn(): Promise<void> {
    const target = ['--target', `${this.holder}`]
    const root = join(this.#folder, 'root')
    // Whoever ends this process ends the machine as well.
    const child = spawn(
      'setpriv',
      [
        ...['--pdeathsig', 'KILL', 'nsenter', ...target, '--mount', '--net', '--'],
        ...['unshare', '--mount', '--pid', '--uts', '--ipc', '--fork', '--kill-child'],
        ...['sh', '-c', SWITCH_ON, 'sh', root],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'], detached: true },
    )
    this.#said = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (this.#said += text))
    const ended = once(child, 'exit').then(() => {
      const hadBooted = this.#running !== undefined
      this.#running = undefined
      // It has rebooted by itself.
      if (hadBooted && !this.#isOff) void this.boot()
    })
    for (let tries = 0; tries < 2000; tries++) {
      const [init] = childrenOf(child.pid as number)
      if (child.exitCode !== null) throw new Error(`the machine did not boot: ${this.#said}`)
      if (init !== undefined && existsSync(`/proc/${init}/root/tmp/.booted`)) {
        this.#running = { child, init, ended }
        return
      }
      await sleep(10)
    }
    child.kill('SIGKILL')
    throw new Error(`the machine takes too long to boot: ${this.#said}`)
  }

  #requireOn() {
    if (!this.#running) throw new Error('the machine is off')
    return this.#running
  }
}

function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    return text.split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

/** Runs a program of this machine, not of a router. */
export async function outside(command: readonly string[], stdin = ''): Promise<Ended> {
  const [program = '', ...words] = command
  const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'pipe'], env: ENVIRONMENT })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  child.stdin.on('error', () => undefined)
  child.stdin.end(stdin)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout, stderr }
}

/** Writes a file of a machine's surroundings, or of its flash. */
export function writeText(path: string, text: string, mode = 0o644): void {
  writeFileSync(path, text, { mode })
}
