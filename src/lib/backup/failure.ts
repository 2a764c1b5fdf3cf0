import { ConflictError, type ExpectedError, FailureError, RefusedError } from '../errors.js'
import { lastWords } from '../host/say.js'
import type { ScriptResult } from '../ssh/types.js'

/** The exit codes of pgBackRest (its src/common/error) for which the next step is known. */
export const INVALID_OPTION = 32
export const LOCKED = 50
const NO_CLUSTER = 56
const STOPPED = 62
const ARCHIVE_TIMEOUT = 82
const NO_STANZA = 103

/** The code of the error of a run that met another one. */
export const BACKUP_RUNNING = 'backup-running'

/** What to tell of a backup that pgBackRest did not make. @param rival who makes one now, where that is known */
export function backupFailure(
  result: ScriptResult,
  stanza: string,
  rival: string | undefined,
): ExpectedError {
  const said = lastWords(result).replace(/^.*?ERROR: /, '')
  switch (result.code) {
    case LOCKED:
      return new ConflictError(
        BACKUP_RUNNING,
        `a backup of ${stanza} is being made already${rival === undefined ? '' : `: ${rival}`}`,
        { suggestions: ['wait for it: cleverctl backup status'] },
      )
    case STOPPED:
      return new RefusedError('backups-stopped', `backups of ${stanza} were stopped: ${said}`, {
        suggestions: [`pgbackrest --stanza=${stanza} start, on the backup machine`],
      })
    case NO_CLUSTER:
      return new FailureError('no-source', `pgBackRest finds nothing to copy from: ${said}`, {
        suggestions: ['cleverctl cluster status', 'cleverctl backup run --from primary'],
      })
    case ARCHIVE_TIMEOUT:
      return new FailureError('archive-broken', `WAL does not reach the repository: ${said}`, {
        suggestions: ['cleverctl cluster status', 'look at archive_command on the primary'],
      })
    case NO_STANZA:
      return new FailureError('no-stanza', `the repository knows no stanza ${stanza}: ${said}`, {
        suggestions: [`pgbackrest --stanza=${stanza} stanza-create, on the backup machine`],
      })
    default: {
      const end = result.code === null ? `by ${result.signal}` : `with ${result.code}`
      return new FailureError('backup-failed', `pgBackRest ended ${end}: ${said}`, {
        suggestions: ['cleverctl cluster status'],
      })
    }
  }
}
