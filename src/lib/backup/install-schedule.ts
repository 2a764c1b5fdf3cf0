import { mkdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { FailureError } from '../errors.js'
import { errorCode, writeWhole } from '../file-system.js'
import type { ScheduleFile } from './schedule.js'

/** What became of a file. */
export type Installed = 'written' | 'unchanged'

/**
 * Writes the files of a schedule where the system looks for them.
 * @param root a folder in whose place `/` is thought, for an image that is being built; `/` for this machine
 * @throws FailureError when one cannot be written: those before it are there, and the same command goes on
 */
export async function installSchedule(
  files: readonly ScheduleFile[],
  root: string,
): Promise<Installed[]> {
  const done: Installed[] = []
  for (const { path, text } of files) {
    const place = join(root, path)
    try {
      if ((await readFile(place, 'utf8').catch(() => undefined)) === text) {
        done.push('unchanged')
        continue
      }
      await mkdir(dirname(place), { recursive: true })
      await writeWhole(place, text, 0o644)
      done.push('written')
    } catch (error) {
      throw new FailureError('cannot-write', `cannot write ${place} (${errorCode(error)})`, {
        suggestions: ['as root: sudo cleverctl backup schedule --install …'],
      })
    }
  }
  return done
}
