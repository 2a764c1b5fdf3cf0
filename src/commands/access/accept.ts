import { Args, Flags } from '@oclif/core'
import { acceptFinding, type Accepted } from '../../lib/access/acceptance/accept.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'

export default class AccessAccept extends BaseCommand<Accepted> {
  static override summary = 'answer for a finding, for a reason and until a day'
  static override description =
    'The audit lists an accepted finding apart, and it does not make the exit code 8. An acceptance counts until the ' +
    'end of its last day (UTC), and only while its owner is on the list. Only the owner of the cleverctl database may ' +
    'accept: whoever is measured does not move the measure. The same command again changes nothing.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> superuser "role dba" --owner engineer@example.com --reason "break glass, in the safe" --until 2027-03-31',
    '<%= config.bin %> <%= command.id %> idle-slot "replication slot db3" --host postgres://auditor@db1.example.com:5432/postgres --owner engineer@example.com --reason "db3 is being replaced" --until 2027-01-15',
  ]

  static override args = {
    rule: Args.string({ description: 'rule of the finding', required: true, ignoreStdin: true }),
    subject: Args.string({
      description: 'subject of the finding, as the audit shows it',
      required: true,
      ignoreStdin: true,
    }),
  }

  static override flags = {
    owner: Flags.string({
      description: 'the member of staff who answers for it',
      helpValue: 'EMAIL',
      required: true,
    }),
    reason: Flags.string({ description: 'why it may stay', required: true }),
    until: Flags.string({
      description: 'the last day (UTC) on which it counts, such as 2027-03-31',
      helpValue: 'DAY',
      required: true,
    }),
    host: Flags.string({
      description: 'the server, as the audit shows it (without it: every server)',
      helpValue: 'SERVER',
    }),
  }

  protected async execute(): Promise<Accepted> {
    const { args, flags } = await this.parse(AccessAccept)
    const { owner, reason, until, host = null } = flags
    const workspace = await this.changingWorkspace(flags)
    return acceptFinding(workspace, { ...args, host, owner, reason: reason.trim(), until })
  }

  protected render({ id, rule, subject, until, outcome }: Accepted): void {
    this.screen.line(`acceptance ${id} of ${rule}, ${subject}, until ${until}: ${outcome}`)
  }
}
