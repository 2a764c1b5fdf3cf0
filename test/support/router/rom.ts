import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BUSYBOX, busyboxWith, OPENWRT_APPLETS, RUTOS_APPLETS } from './busybox.js'

/** Which firmware a test's router is like. */
export type Firmware = 'openwrt' | 'rutos'

const SCRIPTS = fileURLToPath(new URL('rom', import.meta.url))
const SERVICES = { log: '09', system: '10', dropbear: '19', network: '20', done: '95' }

/** One read-only tree for all routers of a firmware in this process, with how many use it. */
const built = new Map<Firmware, { path: string; users: number }>()

/** The tree that a router's flash lies on; give it back with {@link releaseRom}. */
export function acquireRom(firmware: Firmware): string {
  const there = built.get(firmware)
  if (there) {
    there.users += 1
    return there.path
  }
  const path = mkdtempSync(join(tmpdir(), `cctl-rom-${process.pid}-`))
  built.set(firmware, { path, users: 1 })
  build(path, firmware)
  return path
}

/** Removes the tree when the last router that uses it has gone. */
export function releaseRom(firmware: Firmware): void {
  const there = built.get(firmware)
  if (!there || --there.users > 0) return
  built.delete(firmware)
  rmSync(there.path, { recursive: true, force: true })
}

function build(root: string, firmware: Firmware): void {
  chmodSync(root, 0o755)
  const folders =
    'bin sbin usr/bin usr/sbin lib/testbed/world lib64 etc/rc.d etc/config etc/dropbear'
  for (const folder of [...folders.split(' '), 'root', 'tmp', 'proc', 'dev', 'sys', 'overlay'])
    mkdirSync(join(root, folder), { recursive: true })
  symlinkSync('tmp', join(root, 'var'))
  symlinkSync('../etc/dropbear', join(root, 'root/.ssh'))
  for (const folder of ['bin', 'sbin', 'etc', 'lib'])
    cpSync(join(SCRIPTS, folder), join(root, folder), { recursive: true })
  if (firmware === 'rutos') {
    copyFileSync(join(SCRIPTS, 'rutos/passwd'), join(root, 'bin/passwd'))
    copyFileSync(join(SCRIPTS, 'rutos/chpasswd'), join(root, 'usr/sbin/chpasswd'))
    copyFileSync(join(SCRIPTS, 'rutos/mnf_info'), join(root, 'sbin/mnf_info'))
  }
  for (const folder of ['bin', 'sbin', 'usr/sbin', 'etc/init.d', 'lib/testbed'])
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true }))
      if (entry.isFile()) chmodSync(join(root, folder, entry.name), 0o755)
  const applets = firmware === 'rutos' ? RUTOS_APPLETS : OPENWRT_APPLETS
  writeFileSync(join(root, 'bin/busybox'), busyboxWith(applets), { mode: 0o755 })
  for (const name of applets) symlinkSync('busybox', join(root, 'bin', name))
  // What the stand-ins are made with; nothing of it is in the PATH.
  copyFileSync(BUSYBOX, join(root, 'lib/testbed/busybox'))
  for (const program of ['/usr/sbin/dropbear', '/usr/bin/flock']) copyProgram(program, root)
  for (const [name, start] of Object.entries(SERVICES))
    symlinkSync(`../init.d/${name}`, join(root, `etc/rc.d/S${start}${name}`))
}

/** A program with the libraries that the loader finds for it. */
function copyProgram(program: string, root: string): void {
  copyFileSync(program, join(root, 'usr', basename(dirname(program)), basename(program)))
  const libraries = execFileSync('ldd', [program], { encoding: 'utf8' })
  for (const [path] of libraries.matchAll(/\/\S+/g)) {
    mkdirSync(join(root, dirname(path)), { recursive: true })
    copyFileSync(path, join(root, path))
  }
}
