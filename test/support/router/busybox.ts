import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Debian's busybox-static, whose shell finds its applets by itself, whether there is a link to them or not. */
export const BUSYBOX = '/usr/bin/busybox'

/**
 * What the shell of a stock OpenWrt finds, as far as Debian's busybox has it (OpenWrt's
 * package/utils/busybox/Config-defaults.in). Not there, though people expect it: nohup, setsid, timeout, stat,
 * realpath, od, base64, chpasswd, mkpasswd, sha1sum, sha512sum. `sleep` and `logread` are scripts of rom/.
 */
export const OPENWRT_APPLETS: readonly string[] =
  `[ [[ ash awk basename cat chgrp chmod chown chroot clear cmp cp crond crontab cut date dd df dirname dmesg du echo
  egrep env expr false fgrep find free grep gunzip gzip halt head hexdump hwclock id ifconfig ip kill killall less ln
  logger login ls md5sum mkdir mkfifo mknod mkswap mktemp mount mv nc netstat nslookup passwd pidof ping ping6
  pivot_root poweroff printf ps pwd readlink reboot reset rm rmdir route sed seq sh sha256sum sort start-stop-daemon
  strings switch_root sync sysctl tail tar tee test time top touch tr traceroute traceroute6 true udhcpc umount uname
  uniq uptime vi wc which xargs yes zcat`.split(/\s+/)

/** What RutOS has: no start-stop-daemon, but timeout; its passwd is a script of rom/rutos, as is chpasswd. */
export const RUTOS_APPLETS: readonly string[] = [
  ...OPENWRT_APPLETS.filter((name) => !['start-stop-daemon', 'passwd'].includes(name)),
  'timeout',
]

/** Whether this machine's busybox is the one with everything: busybox-static, not busybox. */
export function hasApplet(name: string): boolean {
  return appletsThere().includes(name)
}

function appletsThere(): string[] {
  return execFileSync(BUSYBOX, ['--list'], { encoding: 'utf8' }).trim().split('\n')
}

/**
 * A copy of busybox that knows these applets alone: in its table of names, the last letter of every other one is made
 * a character that nobody types. It is the lowest, because a search ends at a name above the one that is sought.
 */
export function busyboxWith(applets: readonly string[]): Buffer {
  const program = readFileSync(BUSYBOX)
  const listed = appletsThere()
  const table = Buffer.from(`${listed.join('\0')}\0`)
  const start = program.indexOf(table)
  if (start < 0) throw new Error(`${BUSYBOX} keeps its names otherwise than this test expects`)
  let at = start
  for (const name of listed) {
    at += name.length + 1
    if (!applets.includes(name)) program[at - 2] = 0x01
  }
  const missing = applets.filter((name) => !listed.includes(name))
  if (missing.length > 0) throw new Error(`${BUSYBOX} lacks ${missing.join(' ')}`)
  return program
}
