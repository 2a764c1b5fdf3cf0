import { listAccounts, type ShownServiceAccount } from '../../lib/staff/show.js'
import { allFlag, serviceAccountColumns } from '../../lib/terminal/accounts.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'

export default class ServiceAccountList extends BaseCommand<{
  serviceAccounts: ShownServiceAccount[]
}> {
  static override summary = 'list the programs that may reach the databases'
  static override description =
    'State is valid, over (the last day is past) or, with --all, removed.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --all --json',
  ]

  static override flags = { ...allFlag }

  protected async execute(): Promise<{ serviceAccounts: ShownServiceAccount[] }> {
    const { flags } = await this.parse(ServiceAccountList)
    const workspace = await this.workspace(flags)
    return {
      serviceAccounts: await listAccounts(workspace, {
        kind: 'service-account',
        withRemoved: flags.all,
      }),
    }
  }

  protected render({ serviceAccounts }: { serviceAccounts: ShownServiceAccount[] }): void {
    this.screen.table(serviceAccounts, serviceAccountColumns(this.screen))
  }
}
