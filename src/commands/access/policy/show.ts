import { showPolicy, type ShownPolicy } from '../../../lib/access/policy/show.js'
import { drawPolicy } from '../../../lib/terminal/access-policy.js'
import { BaseCommand } from '../../../lib/terminal/base-command.js'

export default class AccessPolicyShow extends BaseCommand<ShownPolicy> {
  static override summary = 'show which grants a second member of staff has to approve'
  static override description =
    'Approvers are people on the list who can log in to the cleverctl database by a role of their own that is a ' +
    'member of cleverctl_staff.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --json',
  ]

  protected async execute(): Promise<ShownPolicy> {
    const { flags } = await this.parse(AccessPolicyShow)
    return showPolicy(await this.workspace(flags))
  }

  protected render(policy: ShownPolicy): void {
    drawPolicy(this.screen, policy)
  }
}
