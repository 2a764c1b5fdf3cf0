import { getAccount, type ShownStaff } from '../../lib/staff/show.js'
import { drawAccount } from '../../lib/terminal/accounts.js'
import { emailArg } from '../../lib/terminal/arguments.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'

export default class StaffShow extends BaseCommand<ShownStaff> {
  static override summary = 'show what the list says about a person'
  static override description = 'People who were removed are shown, too.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> engineer@example.com',
    '<%= config.bin %> <%= command.id %> engineer@example.com --json',
  ]

  static override args = emailArg

  protected async execute(): Promise<ShownStaff> {
    const { args, flags } = await this.parse(StaffShow)
    return getAccount(await this.workspace(flags), { kind: 'staff', handle: args.email })
  }

  protected render(shown: ShownStaff): void {
    drawAccount(this.screen, shown, [
      ['e-mail address', shown.email],
      ['name', shown.name],
    ])
  }
}
