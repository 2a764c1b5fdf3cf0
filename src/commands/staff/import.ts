import { importAccounts, type AccountImport } from '../../lib/staff/import.js'
import {
  accountImportFlags,
  drawImport,
  importArgs,
  importOf,
} from '../../lib/terminal/accounts.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'

type Result = AccountImport<'staff'>

export default class StaffImport extends BaseCommand<Result> {
  static override summary = 'put the people of a file on the list'
  static override description =
    'Columns: email, name, roleNames, networks, until; several role names or networks have a space between ' +
    'them. With --format scim a SCIM list response: userName, displayName or name, active, roles, and ' +
    'roleNames, networks and until in the extension urn:ietf:params:scim:schemas:extension:cleverctl:2.0:User; ' +
    'people with active false are removed. Whoever is on the list and not in the file stays on it. A row that is ' +
    'refused does not keep the others out (exit 3). A person who is there with other facts is refused, or ' +
    'changed with --replace.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> staff.csv --dry-run',
    '<%= config.bin %> <%= command.id %> users.json --format scim --replace',
  ]

  static override args = importArgs

  static override flags = accountImportFlags

  protected async execute(): Promise<Result> {
    const { args, flags } = await this.parse(StaffImport)
    const options = importOf(args.file, flags)
    const { isDryRun } = options
    const workspace = await this.workspaceFor(flags, !isDryRun)
    return importAccounts(workspace, 'staff', options)
  }

  protected render(result: Result): void {
    drawImport(this.screen, result, { title: 'EMAIL', text: ({ email }) => email })
  }
}
