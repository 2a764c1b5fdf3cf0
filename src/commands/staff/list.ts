import { listAccounts, type ShownStaff } from '../../lib/staff/show.js'
import { allFlag, staffColumns } from '../../lib/terminal/accounts.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'

export default class StaffList extends BaseCommand<{ staff: ShownStaff[] }> {
  static override summary = 'list the people who may reach the databases'
  static override description =
    'State is valid, over (the last day is past) or, with --all, removed.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --all --json',
  ]

  static override flags = { ...allFlag }

  protected async execute(): Promise<{ staff: ShownStaff[] }> {
    const { flags } = await this.parse(StaffList)
    const workspace = await this.workspace(flags)
    return { staff: await listAccounts(workspace, { kind: 'staff', withRemoved: flags.all }) }
  }

  protected render({ staff }: { staff: ShownStaff[] }): void {
    this.screen.table(staff, staffColumns(this.screen))
  }
}
