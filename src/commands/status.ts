import { readStatus } from '../lib/status/read.js'
import { statusFacts } from '../lib/status/render.js'
import type { Status as Standing } from '../lib/status/types.js'
import { BaseCommand } from '../lib/terminal/base-command.js'

export default class Status extends BaseCommand<Standing> {
  static override summary = 'show how things stand, on one screen'
  static override description =
    'Quick at any size: more than 100,000 devices or readings are estimated and marked with "about".'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --json',
  ]

  protected async execute(): Promise<Standing> {
    const { flags } = await this.parse(Status)
    return readStatus(await this.workspace(flags))
  }

  protected render(status: Standing): void {
    this.screen.facts(statusFacts(status, (at) => this.screen.time(at)))
    if (status.next.length > 0) this.screen.heading('next')
    for (const { command, reason } of status.next) this.screen.step(command, reason)
  }
}
