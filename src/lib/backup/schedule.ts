import { UsageError } from '../errors.js'
import type { BackupEngine } from '../host/types.js'

/** Hours between two backups: as many times a day, at the same hours every day. */
export const EVERY_HOURS = ['1', '2', '3', '4', '6', '8', '12', '24'] as const
/** How a schedule is written. */
export const SCHEDULERS = ['systemd', 'cron'] as const
/** Days as systemd writes them; cron counts them from 0. */
export const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const
/** One of {@link DAYS}. */
export type Day = (typeof DAYS)[number]

/** What is to run when. */
export interface ScheduleQuestion {
  scheduler: (typeof SCHEDULERS)[number]
  /** What makes the backups. */
  engine: BackupEngine
  everyHours: number
  /** Minutes after the hour. */
  minute: number
  /** The day whose first backup is a full one. */
  fullOn: Day
  /** The day of the drill, between two backups. */
  drillOn: Day
  /** Jobs begin up to so much later, so that not all machines do at once. */
  jitterMs: number
  /** Whom the jobs run as, and with what. */
  user: string
  program: string
  stanza: string | undefined
  /** Number of the repository of pgBackRest; undefined: the first one. */
  repository: number | undefined
  profile: string | undefined
  pingUrl: string | undefined
}

/** A file of a schedule. */
export interface ScheduleFile {
  path: string
  text: string
}

/** A job, and when it runs: hours of a day, on days. */
interface Job {
  name: string
  description: string
  words: string
  times: { days: Day[]; hours: number[] }[]
  /** A job that is waited for where it is under way, as when both were missed: two backups at once there are not. */
  after?: string
}

const MINUTE_MS = 60_000
const SECONDS = 1000
const HOURS = 24
/** What a shell, systemd and cron all take as it is. */
const PLAIN_WORD = /^[A-Za-z0-9_./:@=+-]+$/

/** What tells the jobs of a repository from those of another. */
const suffixOf = ({ repository }: ScheduleQuestion) =>
  repository === undefined ? '' : `-repo${repository}`

/** What every command of a schedule is told. */
const commonWords = ({ stanza, repository, profile }: ScheduleQuestion): string[] => [
  ...(stanza ? ['--stanza', stanza] : []),
  ...(repository === undefined ? [] : ['--repo', String(repository)]),
  ...(profile ? ['--profile', profile] : []),
]

/**
 * The files that make backups several times a day, a full one once a week, and a drill once a week. With pg_basebackup
 * each is a full one. Pure.
 * @throws UsageError for a word that a timer would read in another way, or a repository of pg_basebackup
 */
export function scheduleFiles(asked: ScheduleQuestion): ScheduleFile[] {
  if (asked.engine === 'pg_basebackup' && asked.repository !== undefined)
    throw new UsageError('surplus-flag', 'pg_basebackup knows no repositories')
  for (const word of [asked.user, asked.program, asked.stanza, asked.profile, asked.pingUrl])
    if (word !== undefined && !PLAIN_WORD.test(word))
      throw new UsageError('bad-word', `a timer would read this in another way: ${word}`)
  const jobs = jobsOf(asked)
  return asked.scheduler === 'cron'
    ? [crontab(jobs, asked)]
    : jobs.flatMap((job) => units(job, asked))
}

function jobsOf(asked: ScheduleQuestion): Job[] {
  const { engine, everyHours, fullOn, drillOn, pingUrl } = asked
  const hours = Array.from({ length: HOURS / everyHours }, (_, index) => index * everyHours)
  const others = DAYS.filter((day) => day !== fullOn)
  const all = commonWords(asked)
  const name = `cleverctl-backup${suffixOf(asked)}`
  const backup = [...(pingUrl ? ['--ping-url', pingUrl] : []), ...all]
  const line = (...words: string[]) => ['backup', ...words, '--no-input', '--quiet'].join(' ')
  const later = hours.slice(1)
  const drill = {
    name: `${name}-drill`,
    description: 'Prove the last backup by a restore',
    words: line('drill', '--latest', ...all),
    times: [{ days: [drillOn], hours: [Math.ceil(everyHours / 2)] }],
  }
  const description = 'Back the databases up'
  if (engine === 'pg_basebackup') {
    const times = [{ days: [...DAYS], hours }]
    return [{ name, description, words: line('run', ...backup), times }, drill]
  }
  return [
    {
      name,
      description,
      words: line('run', '--type', 'incr', ...backup),
      times: [
        { days: others, hours },
        ...(later.length > 0 ? [{ days: [fullOn], hours: later }] : []),
      ],
    },
    {
      name: `${name}-full`,
      description: 'Back the databases up as a whole',
      words: line('run', '--type', 'full', ...backup),
      after: name,
      times: [{ days: [fullOn], hours: [0] }],
    },
    drill,
  ]
}

const two = (value: number) => String(value).padStart(2, '0')

function units(
  { name, description, words, times, after }: Job,
  { minute, jitterMs, user, program }: ScheduleQuestion,
): ScheduleFile[] {
  const calendars = times.map(
    ({ days, hours }) =>
      `OnCalendar=${days.join(',')} *-*-* ${hours.map(two).join(',')}:${two(minute)}:00`,
  )
  const service = `[Unit]
Description=${description}
Wants=network-online.target
After=network-online.target${after === undefined ? '' : ` ${after}.service`}

[Service]
Type=oneshot
User=${user}
ExecStart=${program} ${words}
NoNewPrivileges=yes
`
  const timer = `[Unit]
Description=${description}

[Timer]
${calendars.join('\n')}
RandomizedDelaySec=${jitterMs / SECONDS}
# What was missed while the machine was off is done as soon as it is on.
Persistent=yes

[Install]
WantedBy=timers.target
`
  return [
    { path: `/etc/systemd/system/${name}.service`, text: service },
    { path: `/etc/systemd/system/${name}.timer`, text: timer },
  ]
}

function crontab(jobs: readonly Job[], asked: ScheduleQuestion): ScheduleFile {
  const { minute, jitterMs, user, program, everyHours } = asked
  const most = Math.floor(jitterMs / SECONDS)
  const wait = most === 0 ? '' : `sleep "$(shuf -n 1 -i 0-${most})"; `
  const lines = jobs.flatMap(({ description, words, times }) => [
    `# ${description}`,
    ...times.map(({ days, hours }) => {
      const numbers = days.map((day) => DAYS.indexOf(day))
      return `${minute} ${hours.join(',')} * * ${numbers.join(',')} ${user} ${wait}${program} ${words}`
    }),
  ])
  // Cron does not know what it missed: whoever starts with a backup too old makes one.
  const status = ['backup status --max-age', `${everyHours}h`, ...commonWords(asked)].join(' ')
  const fresh = `${program} ${status} --no-input --quiet >/dev/null 2>&1`
  const [first] = jobs
  const catchUp = [
    '# What was missed while the machine was off',
    `@reboot ${user} sleep 120; ${fresh} || ${program} ${first?.words ?? ''}`,
  ]
  const text = ['SHELL=/bin/sh', 'PATH=/usr/local/bin:/usr/bin:/bin', ...lines, ...catchUp, '']
  return { path: `/etc/cron.d/cleverctl-backup${suffixOf(asked)}`, text: text.join('\n') }
}

/** Jitter longer than this would reach into the next hour's job. @throws UsageError for more */
export function requireShortJitter(jitterMs: number): void {
  const LONGEST_MINUTES = 30
  if (jitterMs % SECONDS === 0 && jitterMs <= LONGEST_MINUTES * MINUTE_MS) return
  throw new UsageError('bad-jitter', `jitter is whole seconds, ${LONGEST_MINUTES}m at most`)
}
