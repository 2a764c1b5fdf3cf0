import { FailureError, UnreachableError, type ExpectedError } from '../../errors.js'
import { namedDatabaseHosts } from '../../host/database-hosts.js'
import { onHosts } from '../../host/reach.js'
import type { HostRow } from '../../host/store.js'
import type { SshSession } from '../../ssh/session.js'
import type { Workspace } from '../../workspace.js'
import { SessionJoin } from './join.js'
import { finish, reasonOf } from './read-files.js'
import { LogFeed } from './read-log.js'
import { askLogging, streamLog, type LoggingServer } from './server.js'
import type { NotRead, SeenSession, SessionTaker } from './types.js'

/** So many hosts send their logs at a time: one process reads them all. */
const AT_ONCE = 4

/** Where sessions go, and what is learned of servers. */
export interface HostReading extends SessionTaker {
  superusers: Set<string>
}

/**
 * Reads the logs of database hosts over SSH, and asks each who is in at this moment: what the log has no end of and is
 * not there any more has hidden its end.
 * @throws NotFoundError for a host that is not recorded, and without any
 */
export async function readHosts(
  workspace: Workspace,
  asked: { hosts: readonly string[]; environment: NodeJS.ProcessEnv; since: Date },
  reading: HostReading,
): Promise<{ notRead: NotRead[]; isOutOfReach: boolean }> {
  const { default: pLimit } = await import('p-limit')
  const limit = pLimit(AT_ONCE)
  const hosts = await namedDatabaseHosts(workspace, asked.hosts)
  const reached = await onHosts(workspace, hosts, asked.environment, (session, host) =>
    limit(() => readHost(workspace, { session, host, since: asked.since }, reading)),
  )
  const failed = (result: NotRead[] | ExpectedError, { name }: HostRow): NotRead[] =>
    Array.isArray(result) ? result : [{ log: name, reason: result.message }]
  return {
    notRead: reached.flatMap(({ host, result }) => failed(result, host)),
    isOutOfReach: reached.some(({ result }) => result instanceof UnreachableError),
  }
}

async function readHost(
  { log, signal }: Workspace,
  { session, host, since }: { session: SshSession; host: HostRow; since: Date },
  reading: HostReading,
): Promise<NotRead[]> {
  const server = await askLogging(session, host, since)
  if (server.logs.length === 0) throw new FailureError('no-logs', 'no log was written since then')
  for (const role of server.superusers) reading.superusers.add(role)
  let current = ''
  const join = new SessionJoin(host.name, (seen) => reading.give(withLive(seen, server), current))
  const notRead: NotRead[] = []
  for (const path of server.logs) {
    log.debug(`${host.name}: ${path}`)
    current = path
    const feed = new LogFeed({ name: path, prefix: server.prefix, form: server.form }, join)
    try {
      await streamLog(session, path, feed)
      feed.finish()
    } catch (error) {
      if (error instanceof UnreachableError) throw error
      notRead.push({ log: `${host.name}:${path}`, reason: reasonOf(error, signal) })
    }
    await reading.settle()
  }
  return [...notRead, ...finish(host.name, join)]
}

/** A session without an end that began before the server was asked, and was not there. */
function withLive(seen: SeenSession, { live, askedAt }: LoggingServer): SeenSession {
  const isGone = seen.outcome === 'open' && seen.start < askedAt && !live.has(seen.id)
  return isGone ? { ...seen, outcome: 'ended', marks: [...seen.marks, 'no-disconnection'] } : seen
}
