import { revokeAccess, type EndedGrant } from '../../lib/access/grant/end.js'
import { emailArg } from '../../lib/terminal/arguments.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { drawEndedGrants } from '../../lib/terminal/ended-grants.js'

export default class AccessRevoke extends BaseCommand<{ grants: EndedGrant[] }> {
  static override summary = 'end the grant of a member of staff at once'
  static override description =
    'Closes the login on the primary (no login, no password, no group), and on every server of the grant ends its ' +
    'sessions, takes its lines out of pg_hba.conf and tries that nobody gets in. A server that is out of reach leaves the grant ENDING (exit code 3), ' +
    'and the same command goes on. Nothing is changed where the person has no grant. Only the owner of the cleverctl ' +
    'database may revoke.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> engineer@example.com',
    '<%= config.bin %> <%= command.id %> engineer@example.com --json',
  ]

  static override args = emailArg

  protected async execute(): Promise<{ grants: EndedGrant[] }> {
    const { args, flags } = await this.parse(AccessRevoke)
    const workspace = await this.changingWorkspace(flags)
    return revokeAccess(workspace, { email: args.email, environment: process.env })
  }

  protected render({ grants }: { grants: EndedGrant[] }): void {
    drawEndedGrants(this.screen, grants)
  }
}
