import { diagnose, type Diagnosis } from '../lib/doctor/diagnose.js'
import { BaseCommand } from '../lib/terminal/base-command.js'
import { drawChecks } from '../lib/terminal/checks.js'

export default class Doctor extends BaseCommand<Diagnosis> {
  static override summary =
    'look at everything that must be right, and say what to do about the rest'
  static override description =
    'Changes nothing, but starts an embedded database that does not run. A check that could not be ' +
    'carried out is never taken for a good one. Exit codes: 0 ok, perhaps with warnings; 8 a check ' +
    'failed; 7 none failed, but the database was out of reach; 1 none failed, but some could not be ' +
    'carried out for another reason.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --profile production --json',
  ]

  protected async execute(): Promise<Diagnosis> {
    const { flags } = await this.parse(Doctor)
    const { profile, 'database-url': databaseUrl } = flags
    return diagnose(this.surroundings(flags), { profile, databaseUrl })
  }

  protected render({ checks }: Diagnosis): void {
    drawChecks(this.screen, checks)
  }
}
