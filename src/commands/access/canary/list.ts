import { Flags } from '@oclif/core'
import { listCanaries } from '../../../lib/access/canary/list.js'
import type { ShownCanary } from '../../../lib/access/canary/types.js'
import { BaseCommand } from '../../../lib/terminal/base-command.js'

export default class AccessCanaryList extends BaseCommand<{ canaries: ShownCanary[] }> {
  static override summary = 'list decoy roles and tables'
  static override description =
    'No server is asked: whether one was used, access audit and access sessions say.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --all --json',
  ]

  static override flags = {
    all: Flags.boolean({ description: 'those that were removed, too' }),
  }

  protected async execute(): Promise<{ canaries: ShownCanary[] }> {
    const { flags } = await this.parse(AccessCanaryList)
    return { canaries: await listCanaries(await this.workspace(flags), { withRemoved: flags.all }) }
  }

  protected render({ canaries }: { canaries: ShownCanary[] }): void {
    this.screen.table(canaries, [
      { title: 'NUMBER', text: ({ id }) => id },
      { title: 'KIND', text: ({ kind }) => kind },
      { title: 'NAME', text: ({ name }) => name },
      { title: 'DATABASE', text: ({ database }) => database ?? '-' },
      { title: 'SERVER', text: ({ server }) => server ?? 'own', isMinor: true },
      { title: 'STATE', text: ({ state }) => state },
      { title: 'PLANTED', text: ({ plantedAt }) => this.screen.time(plantedAt) },
      { title: 'REMOVED', text: ({ removedAt }) => this.screen.time(removedAt), isMinor: true },
    ])
  }
}
