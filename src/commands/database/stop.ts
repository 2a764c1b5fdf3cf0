import { type ControlResult, stopDatabase } from '../../lib/database/control.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'

export default class DatabaseStop extends BaseCommand<ControlResult> {
  static override summary = 'stop the embedded database'
  static override description =
    'Connections are ended and open transactions rolled back. The next command that needs it starts it again. A database on a server is refused.'

  static override examples = ['<%= config.bin %> <%= command.id %>']

  protected async execute(): Promise<ControlResult> {
    const { flags } = await this.parse(DatabaseStop)
    const settings = await this.settings(flags)
    return stopDatabase(settings, { log: this.notices(flags), signal: this.signal })
  }

  protected render({ outcome, description }: ControlResult): void {
    this.screen.line(`${outcome}: ${description}`)
  }
}
