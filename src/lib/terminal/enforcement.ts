import type { Change, Difference, Enforcement } from '../access/enforce/types.js'
import type { Column, Mark, Screen } from './screen.js'

const MARKS: Record<Change['outcome'], Mark> = {
  planned: 'warning',
  done: 'ok',
  failed: 'failure',
  undone: 'failure',
}

type Row = Difference & { outcome: string; reason: string | null; mark: Mark }

/** Draws what differs from the list server by server, with its SQL below; in a pipe one line a difference. */
export function drawEnforcement(screen: Screen, enforcement: Enforcement): void {
  const rows: Row[] = [
    ...enforcement.changes.map((change) => ({ ...change, mark: MARKS[change.outcome] })),
    ...enforcement.left.map((each) => ({
      ...each,
      outcome: 'left',
      mark: 'warning' as const,
    })),
  ]
  if (screen.isTerminal)
    for (const { host, isStandby } of enforcement.hosts) {
      screen.heading(isStandby ? `${host} (standby)` : host)
      const here = rows.filter((row) => row.host === host)
      if (here.length > 0) screen.table(here, columns())
      else if (enforcement.notChecked.length === 0) screen.mark('ok', 'as the list says')
      for (const row of here) drawStatements(screen, row)
    }
  else
    screen.table(rows, [
      { title: 'SERVER', text: ({ host }) => host },
      ...columns(),
      { title: 'FIX', text: ({ fix }) => fix },
      { title: 'UNDO', text: ({ undo }) => undo },
      { title: 'REASON', text: ({ reason }) => reason ?? '-' },
    ])
  for (const { rule, host, reason } of enforcement.notChecked)
    screen.mark('failure', `not checked at ${host}: ${reason}`, rule)
}

function columns(): Column<Row>[] {
  return [
    { title: 'OUTCOME', text: ({ outcome }) => outcome, mark: ({ mark }) => mark },
    { title: 'WHAT', text: ({ kind }) => kind },
    { title: 'SUBJECT', text: ({ subject }) => subject },
    { title: 'WHO', text: ({ who }) => who ?? '-' },
    { title: 'FROM', text: ({ from }) => from, isMinor: true },
    { title: 'TO', text: ({ to }) => to, isMinor: true },
  ]
}

function drawStatements(screen: Screen, { outcome, reason, subject, fix, undo }: Row): void {
  if (outcome === 'done') screen.step(undo, `to take back what was done to ${subject}`)
  else screen.step(fix, reason === null ? undefined : `${subject}: ${reason}`)
}
