import { readdir } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { CancelledError, ExpectedError, UsageError } from '../../errors.js'
import { look } from '../../file-system.js'
import type { Workspace } from '../../workspace.js'
import { openLog, type OpenLog } from './open-log.js'
import { hasHead } from './reading/log-head.js'
import type { Readings } from './reading/readings.js'
import type { ServerReading } from './reading/server-reading.js'
import type { NotRead } from './types.js'

/** Logs that are files here. */
export interface LogFiles {
  logs: readonly string[]
  prefix: string | undefined
  /** The name of the server whose logs are in a folder. */
  nameOf: (folder: string) => string
  /** Whether a log may be away while it is rotated. */
  mayBeAway: boolean
}

/** Names of the servers whose logs these are. */
export function serversOf({ logs, nameOf }: LogFiles): string[] {
  return [...byFolder(logs).keys()].map(nameOf)
}

/**
 * Reads logs that are files here, folder by folder, the oldest first, so that a session which goes on in the next one is
 * known there.
 * @throws UsageError for a log that is not there
 */
export async function readFiles(
  workspace: Workspace,
  files: LogFiles,
  readings: Readings,
): Promise<NotRead[]> {
  const notRead: NotRead[] = []
  for (const [folder, logs] of byFolder(files.logs)) {
    const reading = readings.reading(files.nameOf(folder))
    notRead.push(...(await readFolder(workspace, { ...files, logs }, reading, folder)))
  }
  return notRead
}

async function readFolder(
  { log, signal }: Workspace,
  { logs, prefix, mayBeAway }: LogFiles,
  reading: ServerReading,
  folder: string,
): Promise<NotRead[]> {
  const open: OpenLog[] = []
  try {
    for (const path of logs) {
      const opened = await openLog(path, signal).catch((error: unknown) => {
        if (!mayBeAway || !(error instanceof UsageError)) throw error
      })
      if (opened !== undefined) open.push(opened)
    }
    await openRotated(open, reading, { folder, signal })
    const plan = reading.plan(open.map((each) => ({ ...each, kind: { name: each.path, prefix } })))
    const { notRead } = plan
    for (const [done, planned] of plan.logs.entries()) {
      log.progress({ done, total: plan.logs.length, unit: 'logs' })
      const path = planned.found.kind.name
      try {
        await reading.read(planned)
      } catch (error) {
        notRead.push({ log: path, reason: reasonOf(error, signal) })
      }
    }
    // That nothing was read of a server says nothing more where one of its logs could not be read.
    const isTold = reading.join.records === 0 && notRead.length > 0
    const whole = reading.finish()
    return isTold ? notRead : [...notRead, ...whole]
  } finally {
    await Promise.all(open.map((each) => each.close()))
  }
}

/** Why something could not be read. Throws what is no reason: a cancellation, or a bug. */
export function reasonOf(error: unknown, signal: AbortSignal): string {
  const isReason = error instanceof ExpectedError && !(error instanceof CancelledError)
  if (isReason && !signal.aborted) return error.message
  throw error
}

/** Finds logs that were not read to their end and have another name in the folder by now. */
async function openRotated(
  open: OpenLog[],
  { unfinished }: ServerReading,
  { folder, signal }: { folder: string; signal: AbortSignal },
): Promise<void> {
  const missing = unfinished.filter(
    ({ head }) => !open.some(({ beginning }) => hasHead(beginning, head)),
  )
  if (missing.length === 0) return
  // Of the two times of a file one is rounded.
  const since = Math.min(...missing.map(({ changedAt }) => changedAt.getTime())) - 1
  for (const name of await readdir(folder)) {
    const path = join(folder, name)
    if (open.some((each) => each.path === path)) continue
    const found = await look(path).catch(() => undefined)
    if (found?.isFile() !== true || Number(found.mtimeMs) < since) continue
    const opened = await openLog(path, signal).catch((error: unknown) => {
      if (!(error instanceof UsageError)) throw error
    })
    if (opened === undefined) continue
    if (missing.some(({ head }) => hasHead(opened.beginning, head))) open.push(opened)
    else await opened.close()
  }
}

function byFolder(logs: readonly string[]): Map<string, string[]> {
  const folders = new Map<string, string[]>()
  for (const path of new Set(logs.map((each) => resolve(each)))) {
    const folder = dirname(path)
    folders.set(folder, [...(folders.get(folder) ?? []), path])
  }
  return folders
}
