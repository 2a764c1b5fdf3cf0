import { type ControlResult, startDatabase } from '../../lib/database/control.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'

export default class DatabaseStart extends BaseCommand<ControlResult> {
  static override summary = 'start the embedded database'
  static override description =
    'Every command starts it when it is needed and leaves it running; this is for a machine that should have it ready. A database on a server is refused.'

  static override examples = ['<%= config.bin %> <%= command.id %>']

  protected async execute(): Promise<ControlResult> {
    const { flags } = await this.parse(DatabaseStart)
    const settings = await this.settings(flags)
    return startDatabase(settings, { log: this.notices(flags), signal: this.signal })
  }

  protected render({ outcome, description }: ControlResult): void {
    this.screen.line(`${outcome}: ${description}`)
  }
}
