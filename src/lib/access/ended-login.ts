import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../database/database.js'
import { canLogIn, endSessions } from './grant/server-store.js'

/** How long a standby may take to hear that a login is closed. */
const REPLICATION_MS = 10_000
const RETRY_MS = 50

/**
 * Ends the sessions that a closed role still has at a server, once the server has heard that it is closed.
 * @returns how many they were, and why it is not seen to be over; null where it is
 */
export async function endLogin(
  database: Database,
  role: string,
  signal: AbortSignal,
): Promise<{ sessionsEnded: number; reason: string | null }> {
  const deadline = performance.now() + REPLICATION_MS
  while (await canLogIn(database, role)) {
    if (performance.now() > deadline)
      return { sessionsEnded: 0, reason: 'the server has not heard of the end yet' }
    await sleep(RETRY_MS, undefined, { signal })
  }
  const sessionsEnded = await endSessions(database, role)
  while ((await endSessions(database, role)) > 0) {
    if (performance.now() > deadline) return { sessionsEnded, reason: 'a session does not end' }
    await sleep(RETRY_MS, undefined, { signal })
  }
  return { sessionsEnded, reason: null }
}
