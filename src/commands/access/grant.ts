import { Flags } from '@oclif/core'
import { grantAccess, type Granted } from '../../lib/access/grant/grant.js'
import { emailArg } from '../../lib/terminal/arguments.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { durationFlag, secretOutputFlags } from '../../lib/terminal/flags.js'
import { drawGrant } from '../../lib/terminal/grant.js'
import { serverFlags, serversOf } from '../../lib/terminal/server-flags.js'

export default class AccessGrant extends BaseCommand<Granted> {
  static override summary = 'let a member of staff into the databases for a limited time'
  static override description =
    'Makes a login of its own for the person on the primary; standbys take it over. Its password is drawn here, and ' +
    'the server gets a SCRAM verifier only. With --certificate it has no password: its private key is made here, and ' +
    'a certificate for it beside that, FILE.crt, which is void after the time; the servers have to trust the ' +
    'authority of access ca. The login reads all tables of the databases (the one of cleverctl is granted by its ' +
    'name alone), and changes rows unless --read-only is given. After the time the password is void; access expire, run by a timer, then closes the login, ' +
    'ends its sessions and tries that nobody gets in. pg_hba.conf of each server gets the lines that let the person ' +
    'in from their networks over TLS, in a marked block at its top; where that cannot be done, the line that is ' +
    'missing is said. The same ' +
    'command again finishes what was interrupted. Where access policy asks for a second member of staff, the grant is ' +
    'only requested (exit code 3): nothing is made on any server, and the password opens nothing until somebody else ' +
    'has given access approve. Only the owner of the cleverctl database may grant.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> engineer@example.com --for 2h --reason "ticket 4711" --read-only --output password.txt',
    '<%= config.bin %> <%= command.id %> engineer@example.com --for 30m --reason "ticket 4711" --database fleet --dsn postgres://postgres@db1.example.com/postgres --dsn postgres://postgres@db2.example.com/postgres --output password.txt',
    '<%= config.bin %> <%= command.id %> engineer@example.com --for 2h --reason "ticket 4711" --certificate --output engineer.key --all-hosts',
  ]

  static override args = emailArg

  static override flags = {
    for: durationFlag({ description: 'how long, a week at most', required: true }),
    reason: Flags.string({ description: 'what for', required: true }),
    database: Flags.string({
      description:
        'a database; may be given several times (without it: all but the one of cleverctl)',
      helpValue: 'NAME',
      multiple: true,
      multipleNonGreedy: true,
    }),
    'read-only': Flags.boolean({ description: 'reading only' }),
    certificate: Flags.boolean({
      description: 'a client certificate instead of a password; --output is for its private key',
      dependsOn: ['output'],
    }),
    ...serverFlags('the primary, and its standbys, as a superuser'),
    ...secretOutputFlags,
  }

  protected async execute(): Promise<Granted> {
    const { args, flags } = await this.parse(AccessGrant)
    const { for: forMs, reason, database: databases = [], certificate, output } = flags
    const delivery = this.secretDestination(flags).required()
    return grantAccess(
      await this.changingWorkspace(flags),
      {
        ...{ email: args.email, forMs, reason: reason.trim(), databases },
        servers: serversOf(flags),
        isReadOnly: flags['read-only'],
        method: certificate ? 'certificate' : 'password',
      },
      {
        delivery,
        certificateFile: certificate ? `${output}.crt` : undefined,
        environment: process.env,
      },
    )
  }

  protected render(granted: Granted): void {
    drawGrant(this.screen, granted)
  }
}
