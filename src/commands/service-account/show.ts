import { getAccount, type ShownServiceAccount } from '../../lib/staff/show.js'
import { drawAccount } from '../../lib/terminal/accounts.js'
import { serviceAccountArg } from '../../lib/terminal/arguments.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'

export default class ServiceAccountShow extends BaseCommand<ShownServiceAccount> {
  static override summary = 'show what the list says about a service account'
  static override description = 'Service accounts that were removed are shown, too.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> replicator',
    '<%= config.bin %> <%= command.id %> replicator --json',
  ]

  static override args = serviceAccountArg

  protected async execute(): Promise<ShownServiceAccount> {
    const { args, flags } = await this.parse(ServiceAccountShow)
    return getAccount(await this.workspace(flags), { kind: 'service-account', handle: args.name })
  }

  protected render(shown: ShownServiceAccount): void {
    drawAccount(this.screen, shown, [
      ['service account', shown.name],
      ['purpose', shown.purpose],
      ['owner', shown.owner],
    ])
  }
}
