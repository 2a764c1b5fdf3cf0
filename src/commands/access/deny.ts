import { Flags } from '@oclif/core'
import { denyAccess, type Denied } from '../../lib/access/grant/deny.js'
import { requestArg } from '../../lib/terminal/arguments.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'

export default class AccessDeny extends BaseCommand<Denied> {
  static override summary = 'end a request for access that nobody has approved'
  static override description =
    'Any member of staff may, who asked for it as well. The password that was given out with it never opens anything. ' +
    'The reason goes to the trail.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> 12 --reason "use the replica"',
    '<%= config.bin %> <%= command.id %> 12 --reason "use the replica" --json',
  ]

  static override args = requestArg

  static override flags = {
    reason: Flags.string({ description: 'why not', required: true }),
  }

  protected async execute(): Promise<Denied> {
    const { args, flags } = await this.parse(AccessDeny)
    const workspace = await this.changingWorkspace(flags)
    return denyAccess(workspace, { id: args.number, reason: flags.reason.trim() })
  }

  protected render({ id, email, outcome }: Denied): void {
    this.screen.line(`request ${id} of ${email}: ${outcome}`)
  }
}
