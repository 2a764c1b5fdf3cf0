import { counted } from '../counted.js'
import type { SessionsFound, ShownSession } from '../access/sessions/types.js'
import type { Column, Screen } from './screen.js'

/** Draws who was in; those that stand out are marked, and what could not be read is said at the end. */
export function drawSessions(screen: Screen, found: SessionsFound): void {
  const { sessions, total, flagged, notRead, recorded } = found
  const empty = recorded === undefined ? 'nobody was in' : 'nothing is new'
  screen.table(sessions, columnsOf(screen), notRead.length > 0 ? 'nothing was seen' : empty)
  if (screen.isTerminal && total > 0)
    screen.line(
      `${counted(total, 'session')}, of which ${flagged} ${flagged === 1 ? 'stands' : 'stand'} out`,
    )
  if (screen.isTerminal && recorded !== undefined)
    screen.line(`${recorded} ${recorded === 1 ? 'row was' : 'rows were'} added to the ledger`)
  for (const { log, reason } of notRead) screen.mark('failure', `not read: ${reason}`, log)
}

/** Draws a session as it comes: a line on a terminal, the columns of the table in a pipe. */
export function drawFollowed(screen: Screen, session: ShownSession): void {
  if (!screen.isTerminal) {
    screen.table([session], columnsOf(screen))
    return
  }
  const { who, role, address, application, server, start, end, flags } = session
  const words = [
    `${who ?? role ?? 'somebody'} from ${address ?? 'socket'}`,
    ...(who !== null && role !== null ? [`as ${role}`] : []),
    ...(application === null ? [] : [`by ${application}`]),
    ...[`on ${server}:`, outcomeOf(session), ...flags],
  ]
  screen.mark(flags.length === 0 ? 'ok' : 'warning', words.join(' '), end ?? start)
}

function columnsOf(screen: Screen): Column<ShownSession>[] {
  return [
    {
      title: 'WHO',
      text: ({ who }) => who ?? '-',
      mark: ({ flags }) => (flags.length === 0 ? undefined : 'warning'),
    },
    { title: 'ROLE', text: ({ role }) => role ?? '-' },
    { title: 'DATABASE', text: ({ database }) => database ?? '-', isMinor: true },
    { title: 'FROM', text: ({ address }) => address ?? 'socket' },
    { title: 'METHOD', text: ({ method }) => method ?? '-', isMinor: true },
    { title: 'TLS', text: ({ tls }) => tls ?? '-', isMinor: true },
    { title: 'APPLICATION', text: ({ application }) => application ?? '-', isMinor: true },
    { title: 'SERVER', text: ({ server }) => server, isMinor: true },
    { title: 'START', text: ({ start }) => screen.time(start) },
    { title: 'END', text: ({ end }) => screen.time(end), isMinor: true },
    { title: 'OUTCOME', text: outcomeOf },
    { title: 'FLAGS', text: ({ flags }) => flags.join(' ') || '-' },
  ]
}

function outcomeOf({ outcome, failure }: ShownSession): string {
  return failure?.code ? `${outcome} (${failure.code})` : outcome
}
