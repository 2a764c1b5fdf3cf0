import type { HostRole } from '../host/types.js'
import { REPOSITORY_STATUS, type StanzaInfo } from './info.js'

/** What pgBackRest says on one machine. */
export interface SeenByHost {
  host: string
  role: HostRole
  info: Pick<StanzaInfo, 'repositories' | 'backups' | 'archives'>
  /** Numbers of those whose certificates the backup machine does not verify. */
  unverified: readonly number[]
}

/** A repository, as the backup machine sees it. */
export interface SeenRepository {
  number: number
  /** Machines whose pgBackRest comes to it and finds it well. */
  soundFrom: string[]
  backups: number
  lastBackup: { label: string; stoppedAt: string } | null
  /** The last segment of WAL in it. */
  lastWal: string | null
}

/** Something that is wrong with a repository, or with the way to it from one machine. */
export interface RepositoryProblem {
  repository: number
  host: string
  code:
    | 'not-configured'
    | 'no-stanza'
    | 'no-backup'
    | 'not-well'
    | 'wal-behind'
    | 'not-encrypted'
    | 'tls-not-verified'
  message: string
  /** What to do about it. */
  fix: string
}

/**
 * Holds what each machine sees of the repositories against the others, and against what the primary has archived. Pure.
 * @param segment the last one that the primary has archived; undefined where that is not known
 * @param only the number of the one repository that is looked at; undefined: all
 */
export function judgeRepositories(
  seen: readonly SeenByHost[],
  segment: string | undefined,
  only: number | undefined,
): { repositories: SeenRepository[]; faults: RepositoryProblem[] } {
  const known = new Set(seen.flatMap(({ info }) => info.repositories.map(({ number }) => number)))
  const numbers = [...known].filter((number) => only === undefined || number === only)
  const judged = numbers
    .sort((a, b) => a - b)
    .map((number) => {
      const faults = seen.flatMap((each) => [
        ...faultsOf(each, number, segment),
        ...exposures(each, number),
      ])
      const soundFrom = seen
        .map(({ host }) => host)
        .filter((host) => !faults.some((fault) => fault.host === host))
      return { repository: { number, soundFrom, ...contentOf(seen, number) }, faults }
    })
  return {
    repositories: judged.map(({ repository }) => repository),
    faults: judged.flatMap(({ faults }) => faults),
  }
}

function contentOf(
  seen: readonly SeenByHost[],
  number: number,
): Omit<SeenRepository, 'number' | 'soundFrom'> {
  const info = seen.find(({ role }) => role === 'backup')?.info
  const backups = info?.backups.filter(({ repository }) => repository === number) ?? []
  const last = backups.at(-1)
  return {
    backups: backups.length,
    lastBackup: last ? { label: last.label, stoppedAt: last.stoppedAt } : null,
    lastWal: info ? lastWalIn(info, number) : null,
  }
}

function lastWalIn({ archives }: Pick<StanzaInfo, 'archives'>, number: number): string | null {
  return archives.filter(({ repository }) => repository === number).at(-1)?.max ?? null
}

/** By what others could read or alter what is on its way to a repository, or in it. */
function exposures({ host, info, unverified }: SeenByHost, number: number): RepositoryProblem[] {
  const found: RepositoryProblem[] = []
  const isOpen = info.repositories.some(
    (each) => each.number === number && each.isEncrypted === false,
  )
  if (isOpen)
    found.push({
      ...{ repository: number, host, code: 'not-encrypted' },
      message: 'whoever comes to it reads all data',
      fix: 'cleverctl backup repo add makes an encrypted one, under another number',
    })
  if (unverified.includes(number))
    found.push({
      ...{ repository: number, host, code: 'tls-not-verified' },
      message: 'anybody on the way can pretend to be the cloud',
      fix: `repo${number}-storage-ca-file instead of repo${number}-storage-verify-tls=n, in pgbackrest.conf of ${host}`,
    })
  return found
}

function faultsOf(
  { host, role, info }: SeenByHost,
  number: number,
  segment: string | undefined,
): RepositoryProblem[] {
  const fault = (code: RepositoryProblem['code'], message: string, fix: string) => [
    { repository: number, host, code, message, fix },
  ]
  const found = info.repositories.find((each) => each.number === number)
  if (found === undefined) {
    const loss = role === 'database' ? ', so no WAL of it gets there' : ''
    const setting = role === 'database' ? `repo${number}-host` : `repo${number}-path`
    const message = `pgBackRest of ${host} does not know it${loss}`
    return fault('not-configured', message, `${setting} in pgbackrest.conf of ${host}`)
  }
  const { code, message } = found
  if (code === REPOSITORY_STATUS.noStanzaPath || code === REPOSITORY_STATUS.noStanzaData)
    return fault('no-stanza', message, 'pgbackrest stanza-create on the backup machine')
  if (code === REPOSITORY_STATUS.noBackup)
    return fault('no-backup', message, `cleverctl backup run --repo ${number}`)
  if (code !== REPOSITORY_STATUS.ok)
    return fault('not-well', message, `pgbackrest --repo=${number} info on ${host}`)
  const last = lastWalIn(info, number)
  // Names of segments sort as time goes: the timeline comes first, and a later one has the greater number.
  if (role === 'backup' && segment !== undefined && (last === null || last < segment)) {
    const there = last === null ? 'it has no WAL' : `its last WAL is ${last}`
    return fault(
      'wal-behind',
      `${there}, the primary has archived ${segment}`,
      'cleverctl host check',
    )
  }
  return []
}
