import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { errorCode } from '../../../src/lib/file-system.js'
import { hostKeyOf } from '../../../src/lib/ssh/host-key.js'
import type { HostKey, HostKeyType } from '../../../src/lib/ssh/types.js'
import { freePort } from '../../../src/lib/free-port.js'
import { canServeSsh } from '../ssh.js'
import { BUSYBOX, hasApplet } from './busybox.js'
import { Cable } from './cable.js'
import { firstFlash, type Box } from './flash.js'
import { Machine, writeText, type Ended } from './machine.js'

/**
 * A router for tests, as close to a real one as Debian's packages allow: the real dropbear and the real busybox ash in
 * a machine of its own, with only the commands that the firmware has, its /etc on a flash that outlives its power, its
 * init scripts run at boot, its own /etc/shadow changed by `passwd` and `chpasswd`.
 *
 * `uci`, `wifi`, `ubus` and what would be hostapd are stand-ins. What they do was taken from measurements of the real
 * ones; test/router/test-router holds the table of them. A real device has been seen by none of this.
 */
export interface TestRouter {
  address: string
  port: number
  username: string
  password: string
  /** As it is now; see {@link TestRouter.changeHostKey}. */
  readonly hostKey: HostKey
  /** Runs a script inside, as root, by no SSH. */
  shell(script: string, stdin?: string): Promise<Ended>
  /** A file of its flash, also while it is off; undefined where there is none. */
  readFlash(path: string): string | undefined
  writeFlash(path: string, text: string, mode?: number): void
  /** Shuts down in order, and boots again, until its radios have taken up what is configured. */
  reboot(): Promise<void>
  /** Everything stops at once, and stays off until {@link TestRouter.boot}. */
  cutPower(): Promise<void>
  boot(): Promise<void>
  /** Takes all that is left of its flash. @param leaveKiB but for so much */
  fillFlash(leaveKiB?: number): Promise<void>
  freeFlash(): void
  /** Its cable, where it has one: nothing arrives while it is cut. */
  cutLink(): Promise<void>
  plugLink(): Promise<void>
  /** Gives it another host key, as after a reset. */
  changeHostKey(): Promise<void>
  /** The command lines of all its processes now. */
  processes(): string[]
  /** What its radios send. */
  onAir(): AccessPoint[]
  /** The devices that want to join, each with one name and passphrase. */
  setStations(stations: readonly Station[]): void
  /** What it logged since its boot. */
  log(): string
  stop(): Promise<void>
}

/** An access point on air. */
export interface AccessPoint {
  interface: string
  section: string
  radio: string
  ssid: string
  encryption: string
  /** Hexadecimal SHA-256 of the passphrase. */
  keyDigest: string
}

/** A device that would join a Wi-Fi. */
export interface Station {
  mac: string
  ssid: string
  passphrase: string
}

/** Whether this machine can run a test's router: Debian's programs, as root. */
export function canRunRouters(): boolean {
  const programs = [
    BUSYBOX,
    '/usr/bin/flock',
    '/usr/bin/nsenter',
    '/usr/bin/setpriv',
    '/usr/sbin/ip',
  ]
  return canServeSsh() && programs.every(existsSync) && hasApplet('passwd')
}

/**
 * Starts a router, and waits until it has booted.
 * @param given.network with a cable it has an address of its own, and the cable can be cut
 * @param given.flashKiB how much its flash holds
 */
export async function startTestRouter(
  given: Partial<Omit<Box, 'firmware' | 'port'>> & {
    driver?: Box['firmware']
    network?: 'loopback' | 'cable'
    flashKiB?: number
  } = {},
): Promise<TestRouter> {
  const { driver: firmware = 'openwrt', network = 'loopback', flashKiB = 4096, ...rest } = given
  const hasNetwork = network === 'cable'
  const box: Box = {
    firmware,
    password: 'Old-router-password-1',
    ssid: 'Old plant',
    passphrase: 'old-passphrase-1',
    hostname: 'OpenWrt',
    version: firmware === 'rutos' ? 'RUTX_R_00.07.20' : '23.05.5',
    radios: 1,
    sections: [],
    accessPoint: {},
    authorizedKeys: [],
    port: hasNetwork ? 22 : await freePort(),
    ...rest,
  }
  const machine = await Machine.make({ firmware, flashKiB, hasNetwork })
  try {
    for (const [path, { text, mode }] of firstFlash(box)) writeFlash(machine, path, text, mode)
    let hostKey = newHostKey(machine)
    const cable = hasNetwork ? await Cable.lay(machine) : undefined
    const address = cable?.address ?? loopbackAddress()
    writeText(machine.worldPath('address'), `${address}\n`)
    const boot = async () => {
      await machine.boot()
      await radiosUp(machine)
    }
    await boot()
    return {
      address,
      port: box.port,
      username: 'root',
      password: box.password,
      get hostKey() {
        return hostKey
      },
      shell: (script, stdin) => machine.run(script, stdin),
      readFlash: (path) => read(machine.flashPath(path)),
      writeFlash: (path, text, mode) => writeFlash(machine, path, text, mode),
      reboot: async () => {
        await cable?.unplug()
        await machine.reboot()
        await radiosUp(machine)
      },
      cutPower: async () => {
        await cable?.unplug()
        await machine.cutPower()
      },
      boot,
      fillFlash: (leaveKiB = 0) => machine.fillFlash(leaveKiB),
      freeFlash: () => machine.freeFlash(),
      cutLink: async () => required(cable).cut(),
      plugLink: async () => required(cable).plug(),
      changeHostKey: async () => {
        hostKey = newHostKey(machine)
        if (machine.isOn) await machine.run('/etc/init.d/dropbear reload')
      },
      processes: () => machine.processes().flatMap(commandLine),
      onAir: () => (machine.isOn ? onAir(machine.memoryPath('tmp/run/air')) : []),
      setStations: (stations) => writeText(machine.worldPath('stations'), stationLines(stations)),
      log: () => read(machine.memoryPath('tmp/log/messages')) ?? '',
      stop: async () => {
        await cable?.remove()
        await machine.stop()
      },
    }
  } catch (error) {
    await machine.stop()
    throw error
  }
}

async function radiosUp(machine: Machine): Promise<void> {
  for (let tries = 0; tries < 500 && machine.isOn; tries++) {
    if (existsSync(machine.memoryPath('tmp/run/air.status'))) return
    await sleep(10)
  }
  throw new Error('the radios do not come up')
}

function required(cable: Cable | undefined): Cable {
  if (cable === undefined) throw new Error("a router on loopback has no cable: network: 'cable'")
  return cable
}

/** One of 127.0.1.x, so that a router is not taken for another one. */
function loopbackAddress(): string {
  return `127.0.1.${1 + Math.floor(Math.random() * 250)}`
}

function writeFlash(machine: Machine, path: string, text: string, mode = 0o644): void {
  const there = machine.flashPath(path)
  mkdirSync(dirname(there), { recursive: true })
  writeText(there, text, mode)
  chmodSync(there, mode)
}

function read(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined
}

function newHostKey(machine: Machine): HostKey {
  const folder = mkdtempSync(join(tmpdir(), 'cctl-router-key-'))
  try {
    const key = join(folder, 'key')
    execFileSync('dropbearkey', ['-t', 'ed25519', '-f', key], { stdio: 'ignore' })
    const said = execFileSync('dropbearkey', ['-y', '-f', key], { encoding: 'utf8' })
    const there = machine.flashPath('etc/dropbear/dropbear_ed25519_host_key')
    rmSync(there, { force: true })
    execFileSync('install', ['-m', '600', key, there])
    const blob = Buffer.from(/^ssh-ed25519 (\S+)/m.exec(said)?.[1] ?? '', 'base64')
    const { type, fingerprint } = hostKeyOf(blob)
    return { type: type as HostKeyType, fingerprint }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function commandLine(pid: number): string[] {
  try {
    const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
    return line === '' ? [] : [line]
  } catch {
    // It has ended since.
    return []
  }
}

function onAir(folder: string): AccessPoint[] {
  return namesIn(folder)
    .sort()
    .flatMap((name) => {
      const text = textOf(join(folder, name))
      // The Wi-Fi is being reloaded: this access point went off the air since the folder was listed.
      if (text === undefined) return []
      const facts = new Map(
        text
          .split('\n')
          .map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]),
      )
      const fact = (key: string) => facts.get(key) ?? ''
      const keyDigest = createHash('sha256').update(fact('key')).digest('hex')
      const [section, radio, ssid, encryption] = ['section', 'radio', 'ssid', 'encryption'].map(
        fact,
      )
      return {
        interface: name,
        section: section ?? '',
        radio: radio ?? '',
        ssid: ssid ?? '',
        encryption: encryption ?? '',
        keyDigest,
      }
    })
}

/** The folder is another one from one moment to the next. */
function namesIn(folder: string): string[] {
  return unlessGone(() => readdirSync(folder)) ?? []
}

function textOf(file: string): string | undefined {
  return unlessGone(() => readFileSync(file, 'utf8'))
}

function unlessGone<Result>(read: () => Result): Result | undefined {
  try {
    return read()
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  }
}

function stationLines(stations: readonly Station[]): string {
  return stations.map(({ mac, ssid, passphrase }) => `${mac}\t${ssid}\t${passphrase}\n`).join('')
}
