import { setTimeout as sleep } from 'node:timers/promises'
import { CancelledError, ExpectedError } from '../../errors.js'
import { onHost } from '../../host/reach.js'
import type { HostRow } from '../../host/store.js'
import type { SshSession } from '../../ssh/session.js'
import type { Workspace } from '../../workspace.js'
import { shownSince } from './collect.js'
import { SessionIntake } from './intake.js'
import { readFiles, type LogFiles } from './read-files.js'
import { AT_ONCE, readHost } from './read-hosts.js'
import { askLogging, type LoggingServer } from './server.js'
import type { SessionsQuestion } from './sessions.js'
import { ShownQueue } from './shown-queue.js'
import { findSources } from './sources.js'
import type { NotRead, ShownSession } from './types.js'

/** What was followed until it was stopped. */
export interface SessionsFollowed {
  /** How many sessions were shown; one of which more is known later counts again. */
  shown: number
  /** How many rows the ledger was given, with --record. */
  recorded?: number
}

/** How long logs are left alone between two looks; a host also after its connection was cut, and when it is away. */
const PAUSE_MS = { files: 1000, hosts: 5000, cutHost: 1000, awayHost: 10_000 } as const
/** How often a server is asked where its logs are and who is in: each question is a session in its logs, too. */
const ASK_MS = 60_000
/** How often the trail is told where the ledger ends. */
const VOUCH_MS = 3_600_000

/**
 * Reads logs again and again until the workspace's signal is aborted, and gives each session when it is let in or
 * refused, when it is over, and when it stands out in a further way. What cannot be read is warned of.
 * @param give takes a session; reading waits for it
 * @throws UsageError, NotFoundError and RefusedError as `findSessions` does; UnreachableError when the database is lost
 */
export async function followSessions(
  workspace: Workspace,
  asked: SessionsQuestion,
  give: (session: ShownSession) => Promise<void>,
): Promise<SessionsFollowed> {
  const stop = new AbortController()
  const signal = AbortSignal.any([workspace.signal, stop.signal])
  const since = new Date(workspace.clock.now().getTime() - asked.sinceMs)
  const sources = await findSources(workspace, asked)
  const queue = new ShownQueue(shownSince(asked, since), give)
  const intake = await SessionIntake.open(workspace, asked, {
    ...{ servers: sources.servers, since, goesOn: true },
    show: (session) => queue.add(session),
    flush: () => queue.flush(),
  })
  workspace.log.info(`following the logs of ${sources.servers.join(', ')} until this is stopped`)
  const follower = new Follower({ ...workspace, signal }, intake)
  try {
    if ('files' in sources) await follower.followFiles(sources.files)
    else await follower.followHosts(sources.hosts, asked.environment)
  } catch (error) {
    if (!workspace.signal.aborted) throw error
  } finally {
    stop.abort(new CancelledError('SIGTERM'))
  }
  await intake.finish()
  return { shown: queue.given, ...(asked.isRecording ? { recorded: intake.recorded } : {}) }
}

class Follower {
  readonly #workspace: Workspace
  readonly #intake: SessionIntake
  /** What could not be read of a source the last time. */
  readonly #warned = new Map<string, readonly string[]>()
  #vouchedAt: number

  constructor(workspace: Workspace, intake: SessionIntake) {
    this.#workspace = workspace
    this.#intake = intake
    this.#vouchedAt = workspace.clock.now().getTime()
  }

  async followFiles(files: LogFiles): Promise<void> {
    for (let mayBeAway = false; ; mayBeAway = true) {
      const { readings } = this.#intake
      await this.#end('', await readFiles(this.#workspace, { ...files, mayBeAway }, readings))
      await this.#pause(PAUSE_MS.files)
    }
  }

  async followHosts(hosts: readonly HostRow[], environment: NodeJS.ProcessEnv): Promise<void> {
    const { default: pLimit } = await import('p-limit')
    const { readings, superusers } = this.#intake
    const reading = { readings, superusers, timesGone: 2 }
    const limit = pLimit(AT_ONCE)
    await Promise.all(
      hosts.map((host) =>
        this.#keepTo(host, environment, (session, server) =>
          limit(() => readHost(this.#workspace, session, { name: host.name, server }, reading)),
        ),
      ),
    )
  }

  /** Reads by one connection to a host for as long as it lasts, and makes another one. */
  async #keepTo(
    host: HostRow,
    environment: NodeJS.ProcessEnv,
    read: (session: SshSession, server: LoggingServer) => Promise<NotRead[]>,
  ): Promise<never> {
    for (;;) {
      let pauseMs: number = PAUSE_MS.awayHost
      try {
        await onHost(this.#workspace, host, environment, async (session) => {
          let server: LoggingServer | undefined
          for (let askedAt = 0; ;) {
            const now = this.#workspace.clock.now().getTime()
            if (server === undefined || now - askedAt >= ASK_MS) {
              server = await askLogging(session, host)
              askedAt = now
            }
            await this.#end(host.name, await read(session, server))
            pauseMs = PAUSE_MS.cutHost
            await this.#pause(PAUSE_MS.hosts)
          }
        })
      } catch (error) {
        this.#workspace.signal.throwIfAborted()
        if (!(error instanceof ExpectedError)) throw error
        await this.#end(host.name, [{ log: host.name, reason: error.message }])
        await this.#pause(pauseMs)
      }
    }
  }

  /** Ends a look at a source. @throws what recording throws, also where it did before */
  async #end(source: string, notRead: readonly NotRead[]): Promise<void> {
    const { clock, log } = this.#workspace
    const reasons = notRead.map((each) => `${each.log}: ${each.reason}`)
    const before = this.#warned.get(source) ?? []
    for (const reason of reasons) if (!before.includes(reason)) log.warn(reason)
    if (before.length > 0 && reasons.length === 0)
      log.info(source === '' ? 'the logs are read again' : `${source}: its logs are read again`)
    this.#warned.set(source, reasons)
    const now = clock.now().getTime()
    const isDue = now - this.#vouchedAt >= VOUCH_MS
    if (isDue) this.#vouchedAt = now
    await (isDue ? this.#intake.finish() : this.#intake.write())
  }

  async #pause(ms: number): Promise<void> {
    const { signal } = this.#workspace
    await sleep(ms, undefined, { signal }).catch(() => signal.throwIfAborted())
  }
}
