import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { Cron } from 'croner'
import { planSchedule } from '../../src/lib/backup/plan-schedule.js'
import { EVERY_HOURS, scheduleFiles, type ScheduleQuestion } from '../../src/lib/backup/schedule.js'
import { UsageError } from '../../src/lib/errors.js'

const ASKED: ScheduleQuestion = {
  scheduler: 'systemd',
  engine: 'pgbackrest',
  everyHours: 6,
  minute: 30,
  fullOn: 'Sun',
  drillOn: 'Wed',
  jitterMs: 600_000,
  user: 'root',
  program: '/bin/true',
  stanza: 'main',
  repository: undefined,
  profile: undefined,
  pingUrl: 'https://hc.example.com/backup',
}
const SUNDAY = new Date('2026-11-22T00:00:00')
const WEEK_HOURS = 7 * 24

/** The lines of a crontab as a schedule and what it runs, without comments, settings and @reboot. */
function cronLines(text: string): { pattern: string; command: string }[] {
  return text.split('\n').flatMap((line) => {
    const [, pattern, command] = /^(\d+ \S+ \S+ \S+ \S+) (.+)$/.exec(line) ?? []
    return pattern === undefined || command === undefined ? [] : [{ pattern, command }]
  })
}

/** Hours of a week, from Sunday on, at which a job runs. */
function hoursOf(lines: readonly { pattern: string; command: string }[], words: RegExp): number[] {
  const times = lines
    .filter(({ command }) => words.test(command))
    .flatMap(({ pattern }) => new Cron(pattern).nextRuns(WEEK_HOURS, SUNDAY))
  const hours = times.map((time) => (time.getTime() - SUNDAY.getTime()) / 3_600_000 - 0.5)
  return hours.filter((hour) => hour < WEEK_HOURS).sort((a, b) => a - b)
}

describe('the schedule of backups', () => {
  for (const every of EVERY_HOURS)
    it(`has one backup every ${every} hours of a week, one of them full, and one drill, by cron`, () => {
      const [file] = scheduleFiles({ ...ASKED, scheduler: 'cron', everyHours: Number(every) })
      const lines = cronLines(file?.text ?? '')
      const [full, incr] = [hoursOf(lines, /--type full/), hoursOf(lines, /--type incr/)]
      assert.deepEqual(full, [0])
      const all = [...full, ...incr].sort((a, b) => a - b)
      assert.deepEqual(
        all,
        Array.from({ length: WEEK_HOURS / Number(every) }, (_, index) => index * Number(every)),
      )
      assert.deepEqual(hoursOf(lines, /backup drill/), [72 + Math.ceil(Number(every) / 2)])
    })

  it('says the same to systemd, which takes every file', function () {
    const folder = mkdtempSync(join(tmpdir(), 'cctl-units-'))
    try {
      for (const every of EVERY_HOURS) {
        const files = scheduleFiles({ ...ASKED, everyHours: Number(every) })
        const paths = files.map(({ path, text }) => {
          const place = join(folder, basename(path))
          writeFileSync(place, text)
          return place
        })
        const { error, status, stderr } = spawnSync('systemd-analyze', ['verify', ...paths], {
          encoding: 'utf8',
        })
        if (error) return this.skip()
        assert.equal(status, 0, stderr)
        assert.doesNotMatch(stderr, /cctl-units/)
        assert.match(
          files[2]?.text ?? '',
          /^After=network-online.target cleverctl-backup.service$/m,
        )
        const calendars = [
          ...(files[1]?.text ?? '').matchAll(/^OnCalendar=(.+)$/gm),
          ...(files[3]?.text ?? '').matchAll(/^OnCalendar=(.+)$/gm),
        ]
        const times = calendars.flatMap(([, calendar = '']) => weekOf(calendar))
        assert.equal(new Set(times).size, WEEK_HOURS / Number(every))
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('is installed once, and the same again changes nothing', async () => {
    const root = mkdtempSync(join(tmpdir(), 'cctl-root-'))
    try {
      const once = await planSchedule({ ...ASKED, root })
      assert.deepEqual(new Set(once.files.map(({ state }) => state)), new Set(['written']))
      const again = await planSchedule({ ...ASKED, root })
      assert.deepEqual(new Set(again.files.map(({ state }) => state)), new Set(['unchanged']))
      const timer = readFileSync(join(root, '/etc/systemd/system/cleverctl-backup.timer'), 'utf8')
      assert.match(timer, /^RandomizedDelaySec=600$/m)
      assert.match(timer, /^Persistent=yes$/m)
    } finally {
      rmSync(root, { recursive: true })
    }
  })

  it('makes up for what cron missed, when the machine starts', () => {
    const [file] = scheduleFiles({ ...ASKED, scheduler: 'cron' })
    assert.match(
      file?.text ?? '',
      /^@reboot root .*backup status --max-age 6h --stanza main .* \|\| \/bin\/true backup run/m,
    )
  })

  it('has jobs of its own for another repository', () => {
    const second = { ...ASKED, repository: 2 }
    const paths = new Set(scheduleFiles(ASKED).map(({ path }) => path))
    const files = scheduleFiles(second)
    for (const { path } of files) assert.ok(!paths.has(path) && path.includes('-repo2'), path)
    const started = files.flatMap(({ text }) => /^ExecStart=.+$/m.exec(text) ?? [])
    assert.equal(started.length, 3)
    for (const line of started) assert.match(line, / --repo 2 /)
    const [crontab] = scheduleFiles({ ...second, scheduler: 'cron' })
    assert.match(crontab?.text ?? '', /backup status .*--repo 2 .* backup run .*--repo 2 /)
    assert.throws(() => scheduleFiles({ ...second, engine: 'pg_basebackup' }), UsageError)
  })

  it('takes no word that a timer reads in another way', async () => {
    for (const user of ['two words', 'a%n', 'a;b', '$HOME', 'a\nb'])
      assert.throws(() => scheduleFiles({ ...ASKED, user }), UsageError)
    await assert.rejects(
      planSchedule({ ...ASKED, jitterMs: 1_800_001, root: undefined }),
      UsageError,
    )
  })
})

/** The times of the week from {@link SUNDAY} on that systemd reads in a calendar, by systemd itself. */
function weekOf(calendar: string): string[] {
  const words = ['calendar', '--iterations=200', '--base-time=2026-11-21 23:59:59 UTC', calendar]
  const { stdout } = spawnSync('systemd-analyze', words, {
    encoding: 'utf8',
    env: { ...process.env, TZ: 'UTC', LC_ALL: 'C' },
  })
  const found = [...stdout.matchAll(/(\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}) UTC/g)]
  return found.map(([, time = '']) => time).filter((time) => time < '2026-11-29')
}
