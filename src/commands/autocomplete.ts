import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../lib/terminal/base-command.js'
import {
  COMPLETION_SHELLS,
  prepareCompletion,
  type Completion,
} from '../lib/terminal/completion.js'

export default class Autocomplete extends BaseCommand<Completion> {
  static override summary = 'set up completion for bash, zsh and PowerShell'
  static override description =
    'Makes the files that complete commands and flags, and says which command makes the shell load ' +
    'them. Give it again after an update.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> zsh',
  ]

  static override args = {
    shell: Args.string({
      description: 'the shell (without it: the one in use)',
      options: [...COMPLETION_SHELLS],
      ignoreStdin: true,
    }),
  }

  static override flags = {
    'refresh-cache': Flags.boolean({
      char: 'r',
      description: 'make the files and say nothing about the shell',
    }),
  }

  #isRefresh = false

  protected async execute(): Promise<Completion> {
    const { args, flags } = await this.parse(Autocomplete)
    this.#isRefresh = flags['refresh-cache']
    return prepareCompletion(this.config, args.shell ?? (this.#isRefresh ? 'bash' : undefined))
  }

  protected render({ shell, setupFile, command }: Completion): void {
    if (this.#isRefresh) return
    this.screen.facts([
      ['shell', shell],
      ['setup file', setupFile],
      ['load it by', command],
    ])
  }
}
