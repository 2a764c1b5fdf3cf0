import { ConflictError, UsageError } from '../errors.js'
import type { Log } from '../workspace.js'
import { BACKUP_RUNNING } from './failure.js'

/** What a service that watches over jobs is told (healthchecks.io and those that took over its URLs). */
export type Ping = 'start' | 'success' | 'fail'

const TIMEOUT_MS = 10_000
const SUFFIX: Record<Ping, string> = { start: '/start', success: '', fail: '/fail' }

/**
 * The URL of a healthcheck.
 * @throws UsageError for what is none; the message does not repeat it, because whoever has it can silence the alarm
 */
export function parsePingUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isGood =
    url !== undefined && /^https?:$/.test(url.protocol) && url.username === '' && url.search === ''
  if (isGood) return url
  throw new UsageError('bad-ping-url', 'a ping URL is http:// or https://, without user and query')
}

/** Tells the service. One that does not answer is warned about and changes nothing: its silence is its alarm. */
export async function ping(url: URL | undefined, what: Ping, log: Log): Promise<void> {
  if (url === undefined) return
  const target = new URL(url)
  target.pathname = target.pathname.replace(/\/$/, '') + SUFFIX[what]
  const answer = await fetch(target, {
    method: 'POST',
    redirect: 'manual',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch(() => undefined)
  if (answer?.ok !== true) log.warn(`the ping URL did not take the ping "${what}"`)
}

/**
 * Runs work that is pinged about: at its start where wanted, and how it ended. Nothing is told of work that was left to
 * another run, which tells how it ended itself.
 */
export async function pinged<Result>(
  url: URL | undefined,
  log: Log,
  isStarting: boolean,
  work: () => Promise<Result>,
): Promise<Result> {
  if (isStarting) await ping(url, 'start', log)
  try {
    const result = await work()
    await ping(url, 'success', log)
    return result
  } catch (error) {
    const isLeft = error instanceof ConflictError && error.code === BACKUP_RUNNING
    if (!isLeft) await ping(url, 'fail', log)
    throw error
  }
}
