import type { SeenDatabase } from '../../cluster/ask.js'
import type { ExpectedError } from '../../errors.js'
import { isPeerLine } from '../prepare/script.js'
import type { HostRow } from '../store.js'
import type { PostgresqlPlace, SnapshotDriver } from '../types.js'

/** What one look at a host came to. */
export interface HostCheck {
  check: string
  /** `not-checked` is never good. */
  state: 'ok' | 'problem' | 'not-checked'
  message: string
  /** What to do about it, to be typed or written somewhere; null where nothing is wrong. */
  fix: string | null
}

/** What was seen of a host that let us in. */
export interface SeenOnHost {
  clockOffsetMs: number
  /** By name, what look.sh said. */
  looks: ReadonlyMap<string, string>
  /** What another engine than pgBackRest needs; undefined where that makes the backups. */
  engine: HostCheck[] | undefined
  /** Undefined on a backup machine. */
  postgresql: SeenDatabase | ExpectedError | undefined
  /** Undefined where no snapshots are made. */
  snapshots: SeenSnapshots | ExpectedError | undefined
}

/** What a host's forced command said. */
export interface SeenSnapshots {
  /** Whether it is the one that this version of cleverctl installs, for what is recorded. */
  isCurrent: boolean
  /** What keeps it from making one; null where nothing does, or it was not asked. */
  obstacle: string | null
  /** Sets of which a snapshot was seen on the host before and is not there any more. */
  missing: readonly string[]
}

/** More than that, and times of recovery mean something else on each host. */
const MAX_CLOCK_OFFSET_MS = 5000
const FULL_PERCENT = 90
const OLDEST_POSTGRESQL = 150_000
const MS = 1000

/** Programs that the forced command calls, and the packages of Debian that have them. */
const PACKAGES = { bash: 'bash', flock: 'util-linux', setpriv: 'util-linux' }
const DRIVER_PACKAGES: Readonly<Record<SnapshotDriver, Readonly<Record<string, string>>>> = {
  btrfs: { btrfs: 'btrfs-progs' },
  zfs: { zfs: 'zfsutils-linux', findmnt: 'util-linux' },
  lvm: { lvs: 'lvm2', findmnt: 'util-linux', unshare: 'util-linux' },
  reflink: {},
}

const ok = (check: string, message: string): HostCheck => ({
  ...{ check, state: 'ok', message, fix: null },
})
const problem = (check: string, message: string, fix: string): HostCheck => ({
  ...{ check, state: 'problem', message, fix },
})
const unknown = (check: string, message: string): HostCheck => ({
  ...{ check, state: 'not-checked', message, fix: null },
})

/** Holds what was seen of a host against what it needs. Pure. */
export function judgeHost(host: HostRow, seen: SeenOnHost): HostCheck[] {
  return [
    ok('ssh', `${host.username} is let in`),
    clock(seen.clockOffsetMs),
    ...postgresql(host, seen),
    ...disks(seen.looks),
    ...(seen.engine ?? [...pgbackrest(host, seen.looks), ...expiry(seen.looks)]),
    ...peers(host, seen.looks),
    ...snapshots(host, seen),
  ]
}

function clock(offsetMs: number): HostCheck {
  const seconds = (Math.abs(offsetMs) / MS).toFixed(1)
  const message = `${seconds} s ${offsetMs < 0 ? 'behind' : 'ahead of'} ours`
  if (Math.abs(offsetMs) <= MAX_CLOCK_OFFSET_MS) return ok('clock', 'as ours')
  return problem('clock', message, 'apt-get install chrony')
}

function postgresql(host: HostRow, { postgresql: seen, looks, engine }: SeenOnHost): HostCheck[] {
  if (seen === undefined || host.postgresql === null) return []
  const { port } = host.postgresql
  const real = 'state' in seen && seen.state === 'up' ? seen.facts.dataDirectory : undefined
  const data = dataDirectory(host, host.postgresql, { real, look: looks.get('data') ?? '' })
  if ('exitCode' in seen)
    return [
      data,
      looks.get('program psql') === ''
        ? problem('postgresql', 'psql is missing', 'apt-get install postgresql-client')
        : problem('postgresql', seen.message, `psql -p ${port} -d postgres as ${host.username}`),
    ]
  if (seen.state === 'down')
    return [data, problem('postgresql', seen.reason, 'systemctl start postgresql')]
  const { version, hasChecksums, archiver, isInRecovery } = seen.facts
  const checks = [data]
  checks.push(
    version < OLDEST_POSTGRESQL
      ? problem('postgresql', `version ${version} is older than 15`, 'pg_upgradecluster')
      : ok('postgresql', `version ${Math.floor(version / 10_000)}.${version % 10_000}`),
    hasChecksums
      ? ok('page-checksums', 'on')
      : problem('page-checksums', 'off: damaged pages go unnoticed', 'pg_checksums --enable'),
  )
  if (!isInRecovery && engine === undefined)
    checks.push(
      archiver.mode === 'off'
        ? problem('archive', 'no WAL reaches the backups', 'alter system set archive_mode = on')
        : ok('archive', `archive_mode is ${archiver.mode}`),
    )
  return checks
}

/** @param seen.real what PostgreSQL says; undefined where it says nothing */
function dataDirectory(
  { name, username }: HostRow,
  { dataDirectory: recorded, port }: PostgresqlPlace,
  { real, look }: { real: string | undefined; look: string },
): HostCheck {
  const check = 'data-directory'
  if (real !== undefined && real !== recorded) {
    const message = `the PostgreSQL of port ${port} has its data in ${real}, not in ${recorded}`
    const fix = `cleverctl host add ${name} --replace --data-directory ${real}, with its other flags`
    return problem(check, message, fix)
  }
  const [mode, owner] = look.split(' ')
  if (owner === username && (mode === '700' || mode === '750')) return ok(check, recorded)
  const message = `${recorded} is not the own folder of ${username}`
  return problem(check, message, `chown ${username}: ${recorded}; chmod 700 ${recorded}`)
}

function disks(looks: ReadonlyMap<string, string>): HostCheck[] {
  return ['disk-of-data', 'disk-of-repository'].flatMap((check) => {
    const text = looks.get(check)
    if (text === undefined) return []
    const percent = Number.parseInt(text, 10)
    if (Number.isNaN(percent)) return [unknown(check, 'df does not say how full it is')]
    const message = `${percent} % full`
    return [
      percent < FULL_PERCENT
        ? ok(check, message)
        : problem(check, message, 'make room, or let old snapshots and backups go'),
    ]
  })
}

function pgbackrest(host: HostRow, looks: ReadonlyMap<string, string>): HostCheck[] {
  const version = looks.get('pgbackrest') ?? ''
  if (version === '')
    return [problem('pgbackrest', 'pgBackRest is missing', 'apt-get install pgbackrest')]
  const found = ok('pgbackrest', `version ${version}`)
  const [, code, words] = /^(\d+) ?(.*)$/.exec(looks.get('check') ?? '') ?? []
  if (code === undefined) return [found, unknown('pgbackrest-check', 'it did not end')]
  if (code === '0') return [found, ok('pgbackrest-check', 'WAL reaches the repository')]
  const fix = `pgbackrest --stanza=${host.stanza} check as ${host.username}`
  return [found, problem('pgbackrest-check', (words ?? '').trim().slice(0, 300), fix)]
}

/** Whether pgBackRest itself lets backups go, by their number alone. */
function expiry(looks: ReadonlyMap<string, string>): HostCheck[] {
  const check = 'pgbackrest-expire'
  const retention = looks.get('retention')
  if (retention === undefined) return []
  if (retention === '' || looks.get('expire-auto') === 'n')
    return [ok(check, 'backups go by `cleverctl backup prune` alone')]
  const message = 'each backup lets older ones go, also the last one that a drill has proven'
  return [problem(check, message, 'expire-auto=n in the configuration of pgBackRest')]
}

/** Lines of authorized_keys that another version wrote, or pgBackRest's manual, may let commands in. */
function peers({ name }: HostRow, looks: ReadonlyMap<string, string>): HostCheck[] {
  const check = 'pgbackrest-keys'
  const file = looks.get('unreadable')
  if (file !== undefined) return [unknown(check, `${file} cannot be read`)]
  const lines = [...looks].filter(([look]) => look.startsWith('peer '))
  const wide = lines.filter(([, line]) => !isPeerLine(line))
  if (lines.length > 0 && wide.length === 0)
    return [ok(check, "other machines' pgBackRest is let in for its remote side alone")]
  return wide.map(([look]) => {
    const line = `line ${look.replace('peer ', '')} of authorized_keys`
    const message = `${line} is not of this version: another machine's pgBackRest may run commands`
    return problem(check, message, `cleverctl host prepare ${name}`)
  })
}

function snapshots(host: HostRow, { snapshots: seen, looks }: SeenOnHost): HostCheck[] {
  if (seen === undefined || host.snapshot === null) return []
  const needed = { ...PACKAGES, ...DRIVER_PACKAGES[host.snapshot.driver] }
  const checks = Object.entries(needed)
    .filter(([name]) => looks.get(`program ${name}`) === '')
    .map(([name, packages]) =>
      problem('programs', `${name} is missing`, `apt-get install ${packages}`),
    )
  const prepare = `cleverctl host prepare ${host.name}`
  if ('exitCode' in seen)
    return [
      ...checks,
      seen.code === 'host-not-prepared'
        ? problem('snapshots', seen.message, prepare)
        : unknown('snapshots', seen.message),
    ]
  if (seen.obstacle !== null)
    checks.push(problem('snapshot-place', seen.obstacle, 'docs/estate.md, Snapshots: Set it up'))
  checks.push(
    seen.isCurrent
      ? ok('snapshots', `${host.snapshot.driver} in ${host.snapshot.directory}`)
      : problem('snapshots', 'the forced command is not the one of this version', prepare),
  )
  for (const set of seen.missing)
    checks.push(
      problem('snapshot-missing', `the snapshot of ${set} is gone`, 'cleverctl snapshot list'),
    )
  return checks
}

/** pgBackRest works between machines of one version only. Pure; a check for each host that has another one. */
export function judgeVersions(versions: ReadonlyMap<string, string>): Map<string, HostCheck> {
  const counts = new Map<string, number>()
  for (const version of versions.values()) counts.set(version, (counts.get(version) ?? 0) + 1)
  const [usual] =
    [...counts].sort(([a, one], [b, other]) => other - one || (a < b ? 1 : -1))[0] ?? []
  const found = new Map<string, HostCheck>()
  for (const [name, version] of versions)
    if (version !== usual)
      found.set(
        name,
        problem(
          'pgbackrest-version',
          `${version}, the others have ${usual}`,
          'apt-get install --only-upgrade pgbackrest, on every machine',
        ),
      )
  return found
}
