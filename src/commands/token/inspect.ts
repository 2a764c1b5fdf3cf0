import { Flags } from '@oclif/core'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { inspectToken, type TokenInspection } from '../../lib/token/inspect.js'

export default class TokenInspect extends BaseCommand<TokenInspection> {
  static override summary = 'hold a token against every rule'
  static override description =
    'Says for each rule whether the token keeps it, and shows its claims; the token itself is never ' +
    'shown. Exit code 0: the token is valid. Exit code 8: it is not.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> --token-file token.txt',
    '<%= config.bin %> <%= command.id %> < token.txt',
  ]

  static override flags = {
    'token-file': Flags.string({
      description: 'file with the token, readable by you alone; - reads stdin',
      helpValue: 'FILE|-',
      default: '-',
    }),
    audience: Flags.option({
      description: 'what the token should be for: sending data, or the mobile app',
      options: ['ingest', 'app'] as const,
      default: 'ingest' as const,
    })(),
  }

  protected async execute(): Promise<TokenInspection> {
    const { flags } = await this.parse(TokenInspect)
    const token = await this.secretInput(flags, {
      file: flags['token-file'],
      flagName: 'token-file',
      question: 'Token',
    })
    return inspectToken(await this.workspace(flags), { token, audience: flags.audience })
  }

  protected render({ rules, claims }: TokenInspection): void {
    this.screen.table(rules, [
      {
        title: 'VERDICT',
        text: ({ verdict }) => verdict,
        mark: ({ verdict }) =>
          (({ pass: 'ok', fail: 'failure', 'not-checked': 'warning' }) as const)[verdict],
      },
      { title: 'CODE', text: ({ code }) => code },
      { title: 'RULE', text: ({ rule }) => rule },
      { title: 'DETAIL', text: ({ detail }) => detail },
    ])
    this.screen.facts(
      Object.entries(claims ?? {}).map(([name, value]) => [`claim ${name}`, JSON.stringify(value)]),
    )
  }
}
