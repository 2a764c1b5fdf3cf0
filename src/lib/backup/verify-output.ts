import type { WalFault } from './wal.js'

/** What `pgbackrest verify --output=text --verbose` says of one archive or backup. */
export interface VerifyFault {
  code: 'backup-invalid' | 'archive-invalid' | 'file-invalid'
  message: string
}

/** Something that is wrong with a repository. */
export interface RepositoryFault {
  repository: number
  code: VerifyFault['code'] | WalFault['code'] | 'no-backup' | 'wal-not-received'
  message: string
}

/** What was found in a part of a repository. */
export interface Verified {
  /** Segments of WAL that were looked at. */
  segments: number
  faults: Omit<RepositoryFault, 'repository'>[]
}

/**
 * Reads what pgBackRest's verify found. Its exit code is 0 whatever it finds (2.45, and later ones as well), and
 * without `--verbose` it says nothing about damage.
 * @param listed labels of the backups that the repository lists: one in progress that is not among them is being made,
 *   or was interrupted, and pgBackRest goes on with it the next time
 * @returns the faults; undefined when the text is none of verify, so that nothing is known
 */
export function readVerify(text: string, listed: readonly string[]): VerifyFault[] | undefined {
  if (!/^\s*status: (?:ok|error)/m.test(text)) return undefined
  const faults: VerifyFault[] = []
  const invalidFiles = [...text.matchAll(/invalid (?:checksum|size|result) '?([^'\s]+)'?/g)]
  for (const [, file] of invalidFiles)
    faults.push({ code: 'file-invalid', message: `${file} is not what was written` })
  for (const line of text.split('\n')) {
    const [, label, state] = /^\s*backup: (\S+), status: (\S+?),?(?:\s|$)/.exec(line) ?? []
    const isUnfinished = state === 'in-progress' && !listed.includes(label ?? '')
    if (label !== undefined && state !== 'valid' && !isUnfinished)
      faults.push({ code: 'backup-invalid', message: `backup ${label} is ${state}` })
    const [, archive, counts] = /^\s*archiveId: (\S+?),(.*)$/.exec(line) ?? []
    const [, total, valid] =
      /total WAL checked: (\d+), total valid WAL: (\d+)/.exec(counts ?? '') ?? []
    if (archive !== undefined && total !== valid)
      faults.push({
        code: 'archive-invalid',
        message: `archive ${archive}: ${Number(total) - Number(valid)} of ${total} segments are not what was written`,
      })
  }
  for (const [, file = ''] of text.matchAll(/^\s*No usable (\S+) file/gm)) {
    const code = file === 'backup.info' ? 'backup-invalid' : 'archive-invalid'
    faults.push({ code, message: `${file} and its copy cannot be used` })
  }
  if (faults.length === 0 && /^\s*status: error/m.test(text))
    faults.push({ code: 'archive-invalid', message: 'pgBackRest says: error' })
  return faults
}
