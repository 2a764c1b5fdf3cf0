import { counted } from '../counted.js'
import type { EndedGrant } from '../access/grant/end.js'
import type { Screen } from './screen.js'

/** Draws what became of grants that were to end, server by server. */
export function drawEndedGrants(screen: Screen, grants: readonly EndedGrant[]): void {
  if (grants.length === 0) screen.line('no grant to end')
  for (const { email, role, outcome, sessionsEnded, servers } of grants) {
    const mark = outcome === 'ended' ? 'ok' : 'failure'
    screen.mark(mark, `${email} (${role}): ${counted(sessionsEnded, 'session')} ended`, outcome)
    for (const { host, reason, isRevoked } of servers) {
      if (reason !== null) screen.detail(`${host}: ${reason}`)
      if (isRevoked === false)
        screen.detail(
          `${host}: has no ssl_crl_file; the login is closed and its lines are gone from pg_hba.conf`,
        )
    }
  }
}
