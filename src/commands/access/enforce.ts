import { Flags } from '@oclif/core'
import { enforceAccess } from '../../lib/access/enforce/enforce.js'
import type { Enforcement } from '../../lib/access/enforce/types.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { drawEnforcement } from '../../lib/terminal/enforcement.js'
import { yesFlag } from '../../lib/terminal/flags.js'
import { serverFlags, serversOf } from '../../lib/terminal/server-flags.js'

export default class AccessEnforce extends BaseCommand<Enforcement> {
  static override summary = 'bring roles and pg_hba.conf of database servers to what the list says'
  static override description =
    'Plans, and changes nothing without --yes; in a terminal it asks. Logins of people who left are closed and their ' +
    'sessions ended, never dropped; attributes, memberships, ends of passwords and connection limits become what ' +
    'access audit asks for, unless somebody answers for them (access accept); roles of service accounts that are ' +
    'missing are made, without a password. Lines of pg_hba.conf that let in too much are taken out where nobody on the ' +
    'list comes in by them, and named otherwise. The login that does this, superusers, roles that replicate and logins of ' +
    'nobody are left unless they are named. Exit codes: 0 nothing differs; 8 something does, or was left; 3 a change ' +
    'failed; 7 nothing differs, but a server was out of reach; 1 the same, but something could not be read.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> --all-hosts',
    '<%= config.bin %> <%= command.id %> --all-hosts --yes',
    '<%= config.bin %> <%= command.id %> --dsn postgres://postgres@db1.example.com/postgres --role old_app --yes --json',
  ]

  static override flags = {
    ...serverFlags('the primary, and its standbys, as a superuser'),
    role: Flags.string({
      description:
        'a superuser, a role that replicates or a login of nobody that is changed, too; may be given several times',
      helpValue: 'NAME',
      multiple: true,
      multipleNonGreedy: true,
    }),
    'unknown-roles': Flags.boolean({
      description:
        'close every login that nobody on the list has, but for superusers and roles that replicate',
    }),
    ...yesFlag,
  }

  protected async execute(): Promise<Enforcement> {
    const { flags } = await this.parse(AccessEnforce)
    const workspace = flags.yes ? this.changingWorkspace(flags) : this.workspace(flags)
    const approve = async (plan: Enforcement): Promise<boolean> => {
      if (flags.yes || this.jsonEnabled()) return flags.yes
      let isAsked = false
      await this.confirmInTerminal(flags, async () => {
        isAsked = true
        drawEnforcement(this.screen, plan)
        return `Make ${plan.changes.length === 1 ? 'this change' : `these ${plan.changes.length} changes`}?`
      })
      return isAsked
    }
    const order = {
      servers: serversOf(flags),
      named: flags.role ?? [],
      isUnknownIncluded: flags['unknown-roles'],
    }
    return enforceAccess(await workspace, order, { environment: process.env, approve })
  }

  protected render(enforcement: Enforcement): void {
    drawEnforcement(this.screen, enforcement)
  }
}
