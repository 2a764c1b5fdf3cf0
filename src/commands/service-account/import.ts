import { importAccounts, type AccountImport } from '../../lib/staff/import.js'
import {
  accountImportFlags,
  drawImport,
  importArgs,
  importOf,
} from '../../lib/terminal/accounts.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'

type Result = AccountImport<'service-account'>

export default class ServiceAccountImport extends BaseCommand<Result> {
  static override summary = 'put the service accounts of a file on the list'
  static override description =
    'Columns: name, purpose, owner, roleNames, networks, until; several role names or networks have a space between ' +
    'them, and without a role name the role is called as the account is. With --format scim a SCIM list response: ' +
    'userName, displayName, active, roles, and owner, roleNames, networks and until in the extension ' +
    'urn:ietf:params:scim:schemas:extension:cleverctl:2.0:User; those with active false are removed. Whatever is on ' +
    'the list and not in the file stays on it. A row that is refused does not keep the others out (exit 3). An ' +
    'account that is there with other facts is refused, or changed with --replace.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> service-accounts.csv --dry-run',
    '<%= config.bin %> <%= command.id %> service-accounts.json --format scim --replace',
  ]

  static override args = importArgs

  static override flags = accountImportFlags

  protected async execute(): Promise<Result> {
    const { args, flags } = await this.parse(ServiceAccountImport)
    const options = importOf(args.file, flags)
    const { isDryRun } = options
    const workspace = await this.workspaceFor(flags, !isDryRun)
    return importAccounts(workspace, 'service-account', options)
  }

  protected render(result: Result): void {
    drawImport(this.screen, result, { title: 'NAME', text: ({ name }) => name })
  }
}
