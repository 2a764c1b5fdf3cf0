import { Flags } from '@oclif/core'
import { initialise, type Initialised } from '../lib/init/initialise.js'
import { BaseCommand } from '../lib/terminal/base-command.js'
import { yesFlag } from '../lib/terminal/flags.js'

export default class Init extends BaseCommand<Initialised> {
  static override summary =
    'set everything up: database, keyring, the first signing keys, a profile'
  static override description =
    'Without flags the data is kept in an embedded PostgreSQL in the home folder, and the keyring in ' +
    'a file beside it; in a terminal both are asked for. With --database-url the profile uses that ' +
    'server. What is there already is left as it is, so an interrupted run is completed by giving ' +
    'the command again.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --no-input',
    '<%= config.bin %> <%= command.id %> --profile production --database-url postgres://clever@db.example.com/cleverctl --yes',
  ]

  static override flags = {
    ...yesFlag,
    keyring: Flags.option({
      description: 'what guards the keyring: a file, or a passphrase on top of it',
      options: ['file', 'passphrase'] as const,
    })(),
  }

  protected async execute(): Promise<Initialised> {
    const { flags } = await this.parse(Init)
    const { profile, keyring, 'database-url': databaseUrl } = flags
    return initialise(
      this.surroundings(flags),
      { profile, databaseUrl, keyring },
      {
        choose: (input) => this.choiceInput(flags, input),
        confirm: (question) => this.confirm(flags, question),
      },
    )
  }

  protected render(result: Initialised): void {
    const { database, keyring, signingKeys, next } = result
    this.screen.facts([
      ['profile', `${result.profile} (${result.config})`],
      ['home', result.home],
      ['database', `${database.description} (${database.migrationsApplied} migrations applied)`],
      ['keyring', `${keyring.path} (${keyring.outcome})`],
      ['signing keys', signingKeys.created.join(' ') || signingKeys.outcome],
    ])
    this.screen.heading('next')
    for (const command of next) this.screen.step(command)
  }
}
