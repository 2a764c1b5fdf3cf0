import { FailureError, UnreachableError, type ExpectedError } from '../../errors.js'
import { onHosts } from '../../host/reach.js'
import type { HostRow } from '../../host/store.js'
import type { SshSession } from '../../ssh/session.js'
import type { Workspace } from '../../workspace.js'
import { reasonOf } from './read-files.js'
import type { Readings } from './reading/readings.js'
import { askLogging, listLogs, type LoggingServer } from './server.js'
import type { NotRead } from './types.js'

/** So many hosts send their logs at a time: one process reads them all. */
export const AT_ONCE = 4

/** What a reading of hosts gives to, and learns. */
export interface HostReading {
  readings: Readings
  /** Roles that are superuser on a server are added. */
  superusers: Set<string>
  /** So often in a row a session has to be gone from a server before it counts as one that hid its end. */
  timesGone: number
}

/** Reads the logs of database hosts over SSH, some at a time. */
export async function readHosts(
  workspace: Workspace,
  asked: { hosts: readonly HostRow[]; environment: NodeJS.ProcessEnv },
  reading: HostReading,
): Promise<{ notRead: NotRead[]; isOutOfReach: boolean }> {
  const { default: pLimit } = await import('p-limit')
  const limit = pLimit(AT_ONCE)
  const { hosts, environment } = asked
  const reached = await onHosts(workspace, hosts, environment, (session, host) =>
    limit(async () => {
      const server = await askLogging(session, host)
      return readHost(workspace, session, { name: host.name, server }, reading)
    }),
  )
  const failed = (result: NotRead[] | ExpectedError, { name }: HostRow): NotRead[] =>
    Array.isArray(result) ? result : [{ log: name, reason: result.message }]
  return {
    notRead: reached.flatMap(({ host, result }) => failed(result, host)),
    isOutOfReach: reached.some(({ result }) => result instanceof UnreachableError),
  }
}

/**
 * Reads the logs of one host. What the log has no end of and was not there any more when the server was asked has hidden
 * its end.
 * @throws FailureError where the server has no logs, UnreachableError when the connection is lost
 */
export async function readHost(
  { log, signal }: Workspace,
  session: SshSession,
  { name: host, server }: { name: string; server: LoggingServer },
  { readings, superusers, timesGone }: HostReading,
): Promise<NotRead[]> {
  const reading = readings.reading(host)
  const found = await listLogs(session, server, readings.since(host))
  if (found.length === 0 && reading.logs.length === 0)
    throw new FailureError('no-logs', 'no log was written since then')
  for (const role of server.superusers) superusers.add(role)
  const { logs, notRead } = reading.plan(found)
  for (const planned of logs) {
    const { name } = planned.found.kind
    log.debug(`${host}: ${name}`)
    try {
      await reading.read(planned)
    } catch (error) {
      if (error instanceof UnreachableError) throw error
      notRead.push({ log: name, reason: reasonOf(error, signal) })
    }
  }
  const isGone = (id: string, start: Date) => start < server.askedAt && !server.live.has(id)
  reading.join.endGone(isGone, timesGone)
  const named = notRead.map((each) => ({ ...each, log: `${host}:${each.log}` }))
  return [...named, ...reading.finish()]
}
