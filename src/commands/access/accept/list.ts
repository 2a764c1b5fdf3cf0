import { listAcceptances } from '../../../lib/access/acceptance/list.js'
import type { Acceptance } from '../../../lib/access/acceptance/types.js'
import { Flags } from '@oclif/core'
import { BaseCommand } from '../../../lib/terminal/base-command.js'

export default class AccessAcceptList extends BaseCommand<{ acceptances: Acceptance[] }> {
  static override summary = 'list findings that somebody answers for'
  static override description =
    'State is valid, over (its last day is past), ownerless (nobody on the list answers for it any more) or, with ' +
    '--all, withdrawn. Only valid ones count.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --all --json',
  ]

  static override flags = {
    all: Flags.boolean({ description: 'those that were withdrawn, too' }),
  }

  protected async execute(): Promise<{ acceptances: Acceptance[] }> {
    const { flags } = await this.parse(AccessAcceptList)
    const workspace = await this.workspace(flags)
    return { acceptances: await listAcceptances(workspace, { withWithdrawn: flags.all }) }
  }

  protected render({ acceptances }: { acceptances: Acceptance[] }): void {
    this.screen.table(acceptances, [
      { title: 'NUMBER', text: ({ id }) => id },
      { title: 'RULE', text: ({ rule }) => rule },
      { title: 'SUBJECT', text: ({ subject }) => subject },
      { title: 'SERVER', text: ({ host }) => host ?? '-', isMinor: true },
      { title: 'OWNER', text: ({ owner }) => owner },
      { title: 'REASON', text: ({ reason }) => reason, isMinor: true },
      { title: 'LAST DAY', text: ({ until }) => until },
      { title: 'STATE', text: ({ state }) => state },
    ])
  }
}
