import { Flags } from '@oclif/core'
import { migrateDatabase, type MigrateResult } from '../../lib/database/control.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'

export default class DatabaseMigrate extends BaseCommand<MigrateResult> {
  static override summary = 'bring the database schema up to what this version of cleverctl needs'
  static override description =
    'Migrations only go forward; each is a transaction of its own, under a lock, and recorded in the trail. ' +
    'Run it as the owner of the database; the first one makes the group roles cleverctl_staff, ' +
    'cleverctl_gate and cleverctl_auditor, for which the owner needs createrole unless they exist. ' +
    'An embedded database migrates itself.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> --dry-run',
    '<%= config.bin %> <%= command.id %> --profile production',
  ]

  static override flags = {
    'dry-run': Flags.boolean({ description: 'say which migrations are missing, apply none' }),
  }

  protected async execute(): Promise<MigrateResult> {
    const { flags } = await this.parse(DatabaseMigrate)
    const { actor, log, signal } = this.surroundings(flags)
    const settings = await this.settings(flags)
    return migrateDatabase(settings, { actor, log, signal, dryRun: flags['dry-run'] })
  }

  protected render({ outcome, applied, description }: MigrateResult): void {
    for (const name of applied) this.screen.line(`${outcome}: ${name}`)
    if (applied.length === 0) this.screen.line(`unchanged: ${description}`)
  }
}
