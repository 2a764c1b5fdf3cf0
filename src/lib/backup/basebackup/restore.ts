import type { Scratch } from '../../drill/scratch.js'
import type { DrillCheck } from '../../drill/types.js'
import { lastWords } from '../../host/say.js'
import type { Basebackup } from '../../host/types.js'

const DAMAGED = 65

/** Copies a backup, holds each file against its manifest, and lets recovery read the WAL that was received. */
const RESTORE = `set -eu
cp -a "$1/." data
if ! said=$("$2/pg_verifybackup" data 2>&1); then echo "$said" | head -n 1 >&2; exit ${DAMAGED}; fi
rm -f data/standby.signal
: >data/recovery.signal
printf "restore_command = 'cp %s/%%f %%p'\\n" "$3" >>data/postgresql.auto.conf`

/** The first check of a drill: whether every file of a backup is what was written. */
export async function restoreBasebackup(
  scratch: Scratch,
  { directory }: Basebackup,
  given: { label: string; programs: string },
): Promise<Omit<DrillCheck, 'name' | 'durationMs'>> {
  const { label, programs } = given
  const paths = [`${directory}/backup/${label}/data`, programs, `${directory}/wal`]
  const result = await scratch.run(['sh', '-c', RESTORE, 'sh', ...paths])
  if (result.code === 0) return { state: 'ok', message: `${label} was restored` }
  const message = `restore of ${label}: ${lastWords(result)}`
  return { state: result.code === DAMAGED ? 'failed' : 'not-checked', message }
}
