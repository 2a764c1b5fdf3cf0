import { installSchedule, type Installed } from './install-schedule.js'
import { parsePingUrl } from './ping.js'
import {
  requireShortJitter,
  scheduleFiles,
  type ScheduleFile,
  type ScheduleQuestion,
} from './schedule.js'

/** The files of a schedule, and what became of them. */
export interface BackupSchedule {
  files: (ScheduleFile & { state: 'printed' | Installed })[]
}

/**
 * Makes the timers of backups and drills, and writes them where that is wanted. The same again changes nothing.
 * @param asked.root where `/` is thought; undefined: nothing is written
 * @throws UsageError for what a timer would read in another way, and what `installSchedule` throws
 */
export async function planSchedule(
  asked: ScheduleQuestion & { root: string | undefined },
): Promise<BackupSchedule> {
  const { root, jitterMs, pingUrl } = asked
  requireShortJitter(jitterMs)
  if (pingUrl !== undefined) parsePingUrl(pingUrl)
  const files = scheduleFiles(asked)
  const states = root === undefined ? undefined : await installSchedule(files, root)
  return { files: files.map((file, index) => ({ ...file, state: states?.[index] ?? 'printed' })) }
}
