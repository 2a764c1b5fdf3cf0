import { removeAccount, type RemovedAccount } from '../../lib/staff/remove.js'
import { drawRemoved } from '../../lib/terminal/accounts.js'
import { emailArg } from '../../lib/terminal/arguments.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { yesFlag } from '../../lib/terminal/flags.js'

export default class StaffRemove extends BaseCommand<RemovedAccount> {
  static override summary = 'take a person off the list'
  static override description =
    'From then on every role, rule and session of this person is a finding. Nothing is changed on any server: ' +
    'the roles that are left there are named. So are the service accounts for which the person answered.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> engineer@example.com',
    '<%= config.bin %> <%= command.id %> engineer@example.com --yes --json',
  ]

  static override args = emailArg

  static override flags = { ...yesFlag }

  protected async execute(): Promise<RemovedAccount> {
    const { args, flags } = await this.parse(StaffRemove)
    const workspace = await this.changingWorkspace(flags)
    await this.confirm(flags, `Take ${args.email} off the list?`)
    return removeAccount(workspace, { kind: 'staff', handle: args.email })
  }

  protected render(result: RemovedAccount): void {
    drawRemoved(this.screen, 'staff', result)
  }
}
