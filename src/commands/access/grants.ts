import { Flags } from '@oclif/core'
import { listGrants } from '../../lib/access/grant/list.js'
import type { ShownGrant } from '../../lib/access/grant/types.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'

export default class AccessGrants extends BaseCommand<{ grants: ShownGrant[] }> {
  static override summary = 'list who was let into the databases for a limited time'
  static override description =
    'State is REQUESTED (waits for access approve), PLANNED (written down), ACTIVE (seen in force), ENDING (over, and ' +
    'not yet seen to be so everywhere) or, with --all, ENDED. Grants whose time is over are ended by access expire.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --all --json',
  ]

  static override flags = {
    all: Flags.boolean({ description: 'those that ended, too' }),
  }

  protected async execute(): Promise<{ grants: ShownGrant[] }> {
    const { flags } = await this.parse(AccessGrants)
    return { grants: await listGrants(await this.workspace(flags), { withEnded: flags.all }) }
  }

  protected render({ grants }: { grants: ShownGrant[] }): void {
    this.screen.table(grants, [
      { title: 'NUMBER', text: ({ id }) => id },
      { title: 'EMAIL', text: ({ email }) => email },
      { title: 'ROLE', text: ({ role }) => role, isMinor: true },
      { title: 'DATABASES', text: ({ databases }) => databases.join(' '), isMinor: true },
      { title: 'RIGHTS', text: ({ readOnly }) => (readOnly ? 'reading' : 'changing') },
      { title: 'REASON', text: ({ reason }) => reason },
      { title: 'STATE', text: ({ state }) => state },
      { title: 'REQUESTED BY', text: ({ requestedBy }) => requestedBy ?? '-', isMinor: true },
      { title: 'APPROVED BY', text: ({ approvedBy }) => approvedBy ?? '-', isMinor: true },
      {
        title: 'ENDS OR LAPSES',
        text: ({ state, endsAt, lapsesAt }) =>
          this.screen.time(state === 'REQUESTED' ? lapsesAt : endsAt),
      },
      { title: 'ENDED', text: ({ endedAt }) => this.screen.time(endedAt), isMinor: true },
    ])
  }
}
