import { Args } from '@oclif/core'
import { withdrawAcceptance, type Withdrawn } from '../../../lib/access/acceptance/withdraw.js'
import { BaseCommand } from '../../../lib/terminal/base-command.js'

export default class AccessAcceptWithdraw extends BaseCommand<Withdrawn> {
  static override summary = 'let an accepted finding count again'
  static override description =
    'From then on the audit holds it against the server. The entry stays, as withdrawn. Only the owner of the ' +
    'cleverctl database may do this.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> 12',
    '<%= config.bin %> <%= command.id %> 12 --json',
  ]

  static override args = {
    number: Args.string({
      description: 'number of the acceptance, from the list',
      required: true,
      ignoreStdin: true,
    }),
  }

  protected async execute(): Promise<Withdrawn> {
    const { args, flags } = await this.parse(AccessAcceptWithdraw)
    return withdrawAcceptance(await this.changingWorkspace(flags), args.number)
  }

  protected render({ id, rule, subject, outcome }: Withdrawn): void {
    this.screen.line(`acceptance ${id} of ${rule}, ${subject}: ${outcome}`)
  }
}
