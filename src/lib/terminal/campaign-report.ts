import { inFlags } from '../campaign/start.js'
import type {
  CampaignReport,
  CampaignState,
  Counts,
  FailedTarget,
  Waiting,
} from '../campaign/types.js'
import { formatDuration } from '../duration.js'
import type { Column, Mark, Screen } from './screen.js'
import { inWords } from './text.js'

const MARKS: Record<CampaignState | 'planned', Mark | undefined> = {
  planned: undefined,
  running: undefined,
  done: 'ok',
  paused: 'warning',
  stopped: 'failure',
  aborted: 'warning',
}

const WAITS: Record<Waiting['what'], string> = {
  window: 'for the window of the next target',
  'wave-pause': 'for the end of the pause between waves',
  jitter: 'for the next target, which is delayed at random',
  person: 'for a person to resume it',
  'stop-rule': 'for a person to look at it and to resume it',
  runner: 'for somebody to run it',
}

/** Draws how a campaign stands, or would begin. */
export function drawCampaign(screen: Screen, report: CampaignReport): void {
  const { id, operation, state, reason, targets, counts, waves, failed, waitsFor } = report
  const { wave, createdAt, createdBy } = report
  if (targets === 0) return screen.facts([['targets', '0: there is nothing to do']])
  screen.facts([
    ['campaign', id ?? '-'],
    ['operation', operation],
    ['state', state + (reason === null ? '' : `: ${reason}`)],
    ...Object.entries(inFlags(report.pace)).map(([name, value]): [string, string] => [
      inWords(name.replace(/Ms$/, '')),
      typeof value === 'number' ? formatDuration(value) : value,
    ]),
    ['targets', String(targets)],
    ...(createdAt === null
      ? []
      : ([
          ['made', `${screen.time(createdAt)} by ${createdBy}`],
          ['wave', `${wave} of ${waves.length}`],
          ['left', String(counts.waiting + counts.running)],
        ] as const)),
    ...(waitsFor === null ? [] : ([['waits', waitingText(screen, waitsFor)]] as const)),
  ])
  if (screen.isTerminal) screen.line()
  screen.table(waves, [
    { title: 'WAVE', text: ({ wave }) => String(wave), align: 'right' },
    { title: 'TARGETS', text: ({ targets }) => String(targets), align: 'right' },
    ...(['waiting', 'running', 'done', 'unchanged', 'failed', 'skipped'] as const).map(countColumn),
    { title: 'BEGINS WITH', text: ({ first }) => first, isMinor: true },
  ])
  if (waitsFor?.next != null) screen.step(waitsFor.next)
  if (failed.length > 0) drawFailed(screen, report)
}

function drawFailed(screen: Screen, { failed, counts }: CampaignReport): void {
  if (screen.isTerminal) screen.line()
  screen.table(failed, [
    { title: 'FAILED', text: ({ target }) => target },
    { title: 'CODE', text: ({ code }) => code },
    { title: 'TRIES', text: ({ attempts }) => String(attempts), align: 'right', isMinor: true },
    ...(screen.isTerminal ? [] : [{ title: 'NEXT', text: ({ next }: FailedTarget) => next }]),
    { title: 'WHY', text: ({ message }) => message },
  ])
  if (!screen.isTerminal) return
  const more = counts.failed - failed.length
  if (more > 0) screen.line(`and ${more} more`)
  const [first] = failed
  if (first) screen.step(first.next, failed.length > 1 ? `next, for ${first.target}:` : undefined)
}

/** How the state of a campaign is coloured. */
export function markOfState(state: CampaignState | 'planned'): Mark | undefined {
  return MARKS[state]
}

function waitingText(screen: Screen, { what, since, until }: Waiting): string {
  const end = until === null ? '' : `, until ${screen.time(until)}`
  return `${WAITS[what]}, since ${screen.time(since)}${end}`
}

function countColumn<Row extends Counts>(state: keyof Counts): Column<Row> {
  return {
    title: state.toUpperCase(),
    text: (row) => String(row[state]),
    align: 'right',
    mark: (row) => (state === 'failed' && row.failed > 0 ? 'failure' : undefined),
  }
}
