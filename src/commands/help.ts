import { Args } from '@oclif/core'
import { BaseCommand } from '../lib/terminal/base-command.js'
import { helpAbout, type HelpResult } from '../lib/terminal/help.js'

export default class HelpCommand extends BaseCommand<HelpResult> {
  static override summary = 'show help about a command or a topic'
  static override description =
    'Topics: exit-codes (what a command answers with to the shell), environment (every variable that is ' +
    'read), config (profiles and config.json). Every command also takes --help.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> device register',
    '<%= config.bin %> <%= command.id %> exit-codes',
    '<%= config.bin %> <%= command.id %> environment --json',
  ]

  static override args = {
    subject: Args.string({
      description: 'command, group of commands, or topic; everything when left out',
      multiple: true,
      ignoreStdin: true,
    }),
  }

  protected async execute(): Promise<HelpResult> {
    const { args } = await this.parse(HelpCommand)
    const { width, isColoured } = this.screen
    const isPlain = this.jsonEnabled() || !isColoured
    return helpAbout(args.subject ?? [], this.config, { width, isPlain })
  }

  protected render(result: HelpResult): void {
    this.screen.preformatted(result.text)
  }
}
