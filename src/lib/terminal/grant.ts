import { groupRule } from '../access/grant/put-in-force.js'
import type { Admission, ShownGrant } from '../access/grant/types.js'
import type { Screen } from './screen.js'

/** Draws a grant or a request, and from where pg_hba.conf lets its role in. */
export function drawGrant(
  screen: Screen,
  granted: ShownGrant & {
    outcome: string
    admissions: readonly Admission[]
    certificateFile?: string
  },
): void {
  const { id, email, role, outcome, state, endsAt, databases, readOnly, method, reason } = granted
  const { requestedBy, approvedBy, lapsesAt, admissions, certificateFile } = granted
  const isRequest = state === 'REQUESTED'
  screen.facts([
    [isRequest ? 'request' : 'grant', `${id} for ${email}: ${outcome}`],
    ['role', role],
    ['databases', `${databases.join(' ')}${readOnly ? ', reading only' : ''}`],
    ['proves itself by', method],
    ...(certificateFile === undefined ? [] : [['certificate', certificateFile] as const]),
    ['reason', reason],
    ...(requestedBy === null ? [] : [['requested by', requestedBy] as const]),
    ...(approvedBy === null ? [] : [['approved by', approvedBy] as const]),
    isRequest ? ['lapses', screen.time(lapsesAt)] : ['ends', screen.time(endsAt)],
  ])
  if (state !== 'ACTIVE') return
  if (admissions.length === 0)
    screen.mark('warning', 'the list has no network of this person: by the unix socket only')
  for (const admission of admissions) {
    const { host, network, database, standing, line } = admission
    const about = `${database} at ${host} from ${network}`
    if (standing === 'let in') screen.mark('ok', about, standing)
    else {
      screen.mark('warning', about, standing)
      screen.step(line, 'pg_hba.conf lacks')
      screen.step(groupRule(admission, method), 'or for every grant')
    }
  }
}
