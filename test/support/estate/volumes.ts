import { readFileSync } from 'node:fs'
import type { Machine } from './machine.js'

/** What a machine pretends that its data are on. */
export interface Volume {
  kind: 'zfs' | 'lvm'
  /** Of a logical volume. */
  fileSystem?: 'xfs' | 'ext4'
  /** The pool of a thin one. */
  pool?: string
}

const PROGRAMS = {
  zfs: ['zfs', 'findmnt'],
  lvm: ['lvs', 'lvcreate', 'lvchange', 'lvremove', 'mount', 'findmnt'],
} as const
/** What the console was told, a command a line. */
export const CONSOLE = '/disk/console'

/** Gives a machine the recorded console of a volume manager. */
export async function pretend(machine: Machine, volume: Volume): Promise<void> {
  const { kind, fileSystem = '', pool = '-' } = volume
  await machine.write('/etc/estate/volumes', `KIND=${kind} FSTYPE=${fileSystem} POOL=${pool}\n`)
  const text = readFileSync(new URL('./volumes.sh', import.meta.url), 'utf8')
  for (const program of PROGRAMS[kind])
    await machine.write(`/usr/local/sbin/${program}`, text, 'root', '755')
}
