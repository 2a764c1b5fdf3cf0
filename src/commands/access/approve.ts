import { approveAccess, type Approved } from '../../lib/access/grant/approve.js'
import { requestArg } from '../../lib/terminal/arguments.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { drawGrant } from '../../lib/terminal/grant.js'

export default class AccessApprove extends BaseCommand<Approved> {
  static override summary = 'approve a request for access as a second member of staff'
  static override description =
    'Who you are, your login to the cleverctl database says: a role of yours that is on the list. The database ' +
    'refuses whoever asked for it and whoever is let in by it. Time counts from the approval. Where your login may ' +
    'change grants, the login is made at once; else the person who asked gives access grant again. The password is ' +
    'with that person already. The same command again finishes what was interrupted.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> 12',
    '<%= config.bin %> <%= command.id %> 12 --json',
  ]

  static override args = requestArg

  protected async execute(): Promise<Approved> {
    const { args, flags } = await this.parse(AccessApprove)
    const workspace = await this.changingWorkspace(flags)
    return approveAccess(workspace, { id: args.number, environment: process.env })
  }

  protected render(approved: Approved): void {
    drawGrant(this.screen, approved)
    if (approved.state === 'PLANNED')
      this.screen.mark('warning', `not in force: ${approved.requestedBy} gives access grant again`)
  }
}
