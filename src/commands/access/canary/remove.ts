import { Args } from '@oclif/core'
import { removeCanary, type RemovedCanary } from '../../../lib/access/canary/remove.js'
import { BaseCommand } from '../../../lib/terminal/base-command.js'

export default class AccessCanaryRemove extends BaseCommand<RemovedCanary> {
  static override summary = 'remove a decoy role or table from its server'
  static override description =
    'Something else that has its name by now is left as it is. A table that was read is removed and planted anew, so ' +
    'that it counts from zero. The same command again changes nothing.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> 3',
    '<%= config.bin %> <%= command.id %> 3 --json',
  ]

  static override args = {
    number: Args.string({
      description: 'number of the canary, from the list',
      required: true,
      ignoreStdin: true,
    }),
  }

  protected async execute(): Promise<RemovedCanary> {
    const { args, flags } = await this.parse(AccessCanaryRemove)
    const workspace = await this.changingWorkspace(flags)
    return removeCanary(workspace, { id: args.number, environment: process.env })
  }

  protected render({ id, kind, name, outcome }: RemovedCanary): void {
    this.screen.line(`canary ${id}, ${kind} ${name}: ${outcome}`)
  }
}
