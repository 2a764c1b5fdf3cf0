import { removeAccount, type RemovedAccount } from '../../lib/staff/remove.js'
import { drawRemoved } from '../../lib/terminal/accounts.js'
import { serviceAccountArg } from '../../lib/terminal/arguments.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { yesFlag } from '../../lib/terminal/flags.js'

export default class ServiceAccountRemove extends BaseCommand<RemovedAccount> {
  static override summary = 'take a service account off the list'
  static override description =
    'From then on every role, rule and session of it is a finding. Nothing is changed on any server: the roles ' +
    'that are left there are named.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> replicator',
    '<%= config.bin %> <%= command.id %> replicator --yes --json',
  ]

  static override args = serviceAccountArg

  static override flags = { ...yesFlag }

  protected async execute(): Promise<RemovedAccount> {
    const { args, flags } = await this.parse(ServiceAccountRemove)
    const workspace = await this.changingWorkspace(flags)
    await this.confirm(flags, `Take service account ${args.name} off the list?`)
    return removeAccount(workspace, { kind: 'service-account', handle: args.name })
  }

  protected render(result: RemovedAccount): void {
    drawRemoved(this.screen, 'service account', result)
  }
}
