import { Flags } from '@oclif/core'
import { planSchedule, type BackupSchedule } from '../../lib/backup/plan-schedule.js'
import { DAYS, EVERY_HOURS, SCHEDULERS } from '../../lib/backup/schedule.js'
import { BACKUP_ENGINES } from '../../lib/host/types.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { durationFlag, pingFlag, stanzaFlag } from '../../lib/terminal/flags.js'
import { repositoryFlag } from '../../lib/terminal/repository.js'

export default class BackupScheduleCommand extends BaseCommand<BackupSchedule> {
  static override summary = 'print or install the timers that make backups and drills'
  static override description =
    'Backups several times a day, a full one once a week, a drill once a week. Systemd makes up for what was missed ' +
    'while the machine was off; the crontab does it when the machine starts. For the machine from which cleverctl ' +
    'reaches the estate; needs no database. Exit codes: 0 done; 2 wrong usage; 1 a file could not be written.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> --every 6',
    '<%= config.bin %> <%= command.id %> --engine pg_basebackup --every 24',
    '<%= config.bin %> <%= command.id %> --scheduler cron --every 4 --full-on Sat --jitter 15m',
    '<%= config.bin %> <%= command.id %> --repo 2 --every 24 --minute 0',
    '<%= config.bin %> <%= command.id %> --user cleverctl --ping-url https://hc.example.com/backup --install',
  ]

  static override flags = {
    scheduler: Flags.option({ options: SCHEDULERS })({
      description: 'what runs the jobs',
      default: 'systemd' as const,
    }),
    engine: Flags.option({ options: BACKUP_ENGINES })({
      description: 'what makes the backups; with pg_basebackup each is a full one',
      default: 'pgbackrest' as const,
    }),
    every: Flags.option({ options: EVERY_HOURS })({
      description: 'hours between two backups',
      default: '6' as const,
    }),
    minute: Flags.integer({
      description: 'minutes after the hour',
      default: 30,
      min: 0,
      max: 59,
    }),
    'full-on': Flags.option({ options: DAYS })({
      description: 'day whose first backup is a full one',
      default: 'Sun' as const,
    }),
    'drill-on': Flags.option({ options: DAYS })({
      description: 'day of the drill',
      default: 'Wed' as const,
    }),
    jitter: durationFlag({
      description: 'begin up to so much later [default: 10m]',
      helpValue: '10m',
    }),
    user: Flags.string({ description: 'whom the jobs run as', default: 'cleverctl' }),
    program: Flags.string({
      description: 'where cleverctl is installed',
      default: '/usr/bin/cleverctl',
      helpValue: 'FILE',
    }),
    install: Flags.boolean({ description: 'write the files instead of printing them' }),
    root: Flags.string({
      description: 'below which folder they are written, for an image that is being built',
      default: '/',
      helpValue: 'DIR',
    }),
    ...repositoryFlag({ description: 'number of the repository [default: the smallest one]' }),
    ...stanzaFlag,
    ...pingFlag,
  }

  protected async execute(): Promise<BackupSchedule> {
    const { flags } = await this.parse(BackupScheduleCommand)
    const { scheduler, engine, minute, user, program, stanza, profile, root } = flags
    return planSchedule({
      scheduler,
      engine,
      everyHours: Number(flags.every),
      minute,
      fullOn: flags['full-on'],
      drillOn: flags['drill-on'],
      jitterMs: flags.jitter ?? 600_000,
      user,
      program,
      stanza,
      repository: flags.repo,
      profile,
      pingUrl: flags['ping-url'],
      root: flags.install ? root : undefined,
    })
  }

  protected render({ files }: BackupSchedule): void {
    for (const { path, text, state } of files) {
      if (state !== 'printed') this.screen.mark('ok', state, path)
      else {
        this.screen.line(`# ${path}`)
        for (const line of text.split('\n')) this.screen.line(line)
      }
    }
    const timers = files.filter(({ path }) => path.endsWith('.timer'))
    if (timers.some(({ state }) => state !== 'printed'))
      this.screen.step(
        `systemctl daemon-reload; systemctl enable --now ${timers.map(({ path }) => path.split('/').at(-1)).join(' ')}`,
      )
  }
}
