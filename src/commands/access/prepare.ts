import { Args } from '@oclif/core'
import { prepareAuditor, type PreparedAuditor } from '../../lib/access/prepare.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'

export default class AccessPrepare extends BaseCommand<PreparedAuditor> {
  static override summary =
    'print the SQL that makes a role with which access audit can look at a server'
  static override description =
    'The role gets the least rights with which everything can be checked: it is no superuser, reads no table, and ' +
    'sees of each password only how it is kept. Look at the statements and run them as a superuser, once, on the ' +
    'primary, in the database that the URL for access audit will name. This command connects to nothing. A view ' +
    'in a schema of its own is all that is left on the server beside the role.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> auditor | psql -h db1.example.com -U postgres postgres',
    '<%= config.bin %> <%= command.id %> auditor --json',
  ]

  static override args = {
    role: Args.string({ description: 'name of the role', required: true, ignoreStdin: true }),
  }

  protected async execute(): Promise<PreparedAuditor> {
    const { args } = await this.parse(AccessPrepare)
    return prepareAuditor(args.role)
  }

  protected render({ statements, hints }: PreparedAuditor): void {
    for (const statement of statements) this.screen.line(`${statement};`)
    for (const hint of hints) this.screen.line(`-- ${hint}`)
  }
}
