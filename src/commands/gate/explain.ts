import { Flags } from '@oclif/core'
import { explainArrival, type Explanation } from '../../lib/gate/explain.js'
import { readSentRequest } from '../../lib/gate/sent-request.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { inWords } from '../../lib/terminal/text.js'

export default class GateExplain extends BaseCommand<Explanation> {
  static override summary = "run the gate's decision and say which row decided it"
  static override description =
    'Shows each of the three requirements with its verdict, the row behind it and the command that would ' +
    'mend it. Key and token are never shown. Exit code 0: the gate accepts. Exit code 8: it refuses.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> --api-key-file key.txt --token-file token.txt',
    '<%= config.bin %> <%= command.id %> --request captured-request.txt',
  ]

  static override flags = {
    'api-key-file': Flags.string({
      description: 'file with the API key, readable by you alone',
      helpValue: 'FILE',
      exclusive: ['request'],
    }),
    'token-file': Flags.string({
      description: 'file with the token, readable by you alone',
      helpValue: 'FILE',
      exclusive: ['request'],
    }),
    request: Flags.string({
      description: 'file with an HTTP request, or with JSON {"apiKey","token"}; - reads stdin',
      helpValue: 'FILE|-',
    }),
  }

  protected async execute(): Promise<Explanation> {
    const { flags } = await this.parse(GateExplain)
    const read = (file: string, flagName: string, question: string) =>
      this.secretInput(flags, { file, flagName, question })
    const keyFile = flags['api-key-file']
    const tokenFile = flags['token-file']
    const sent =
      keyFile === undefined && tokenFile === undefined
        ? readSentRequest(
            await this.secretInput(flags, {
              file: flags.request,
              flagName: 'request',
              question: 'Request as JSON {"apiKey","token"}',
            }),
          )
        : {
            apiKey:
              keyFile === undefined ? undefined : await read(keyFile, 'api-key-file', 'API key'),
            token:
              tokenFile === undefined ? undefined : await read(tokenFile, 'token-file', 'Token'),
          }
    return explainArrival(await this.workspace(flags), sent)
  }

  protected render({ requirements }: Explanation): void {
    for (const { requirement, name, passed, code, meaning, row, mend } of requirements) {
      const mark = passed === null ? 'warning' : passed ? 'ok' : 'failure'
      const verdict = passed === null ? 'nobody can say' : passed ? '' : `${code}: ${meaning}`
      this.screen.mark(mark, [`${requirement} ${name}`, verdict].filter(Boolean).join(' · '))
      const columns = Object.entries(row ?? {}).filter(([, value]) => value !== null)
      this.screen.facts(columns.map(([name, value]) => [`  ${inWords(name)}`, answer(value)]))
      if (mend !== null) this.screen.step(mend)
    }
  }
}

function answer(value: string | number | boolean | null): string {
  return typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value)
}
