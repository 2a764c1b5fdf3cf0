import type { SessionsQuestion } from '../../src/lib/access/sessions/sessions.js'

/** A question for who was in: the logs of the last ten years, nothing recorded. @param more what is asked otherwise */
export function sessionsQuestion(more: Partial<SessionsQuestion>): SessionsQuestion {
  return {
    ...{ logs: [], hosts: [], environment: {}, prefix: undefined, sinceMs: 3_650 * 86_400_000 },
    ...{ hours: undefined, superusers: ['postgres'], limit: 1000, isChecking: false },
    ...{ isRecording: false, isAnew: false },
    filter: { who: undefined, flag: undefined, server: undefined },
    ...more,
  }
}

/** One connection as jsonlog tells it. */
export interface Visit {
  pid: number
  user: string
  application?: string
  address?: string
  isRefused?: boolean
}

/** 2026-06-01 12:00:00 UTC. */
const START = 1_780_315_200

/** The records of a connection from its beginning to its end, a second after the one of the process before. */
export function visit({ pid, user, application, address = '10.0.0.1', isRefused }: Visit): string {
  const start = START + pid
  const moment = new Date(start * 1000).toISOString().replace('T', ' ').slice(0, 19)
  const common = {
    ...{ pid, remote_host: address, session_id: `${start.toString(16)}.${pid.toString(16)}` },
    session_start: `${moment} UTC`,
  }
  let line = 0
  const write = (message: string, more: object) =>
    `${JSON.stringify({
      ...{ timestamp: `${moment}.100 UTC`, ...common, line_num: (line += 1) },
      ...{ error_severity: 'LOG', message, backend_type: 'client backend', ...more },
    })}\n`
  const received = write(`connection received: host=${address} port=5`, { ps: '' })
  const door = { user, dbname: 'fleet', ps: 'authentication' }
  if (isRefused) {
    const severity = { error_severity: 'FATAL', state_code: '28P01' }
    return (
      received +
      write(`password authentication failed for user "${user}"`, { ...door, ...severity })
    )
  }
  const method = `connection authenticated: identity="${user}" method=scram-sha-256 (/etc/pg_hba.conf:7)`
  const name = application === undefined ? '' : ` application_name=${application}`
  return (
    received +
    write(method, door) +
    write(`connection authorized: user=${user} database=fleet${name}`, {
      ...door,
      application_name: application,
    }) +
    write(`disconnection: session time: 0:00:00.100 user=${user} database=fleet host=${address}`, {
      ...{ user, dbname: 'fleet', application_name: application, ps: 'idle' },
    })
  )
}

/** So many connections of one role, one after the other. @param within so many others begin before each ends */
export function visits(count: number, within = 0): string {
  const records = Array.from({ length: count }, (_, each) =>
    visit({ pid: each + 1, user: 'ana', application: 'psql' }).split(/(?<=\n)/),
  )
  const beginning = records.map((lines) => lines.slice(0, -1).join(''))
  const ends = [
    ...beginning.slice(0, within).map(() => ''),
    ...records.map((lines) => lines.at(-1)),
  ]
  return ends.map((end, each) => `${beginning[each] ?? ''}${end ?? ''}`).join('')
}
