import { Flags } from '@oclif/core'
import { addAccount, type AddedAccount } from '../../lib/staff/add.js'
import { accountFlags } from '../../lib/terminal/accounts.js'
import { emailArg } from '../../lib/terminal/arguments.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'

export default class StaffAdd extends BaseCommand<AddedAccount> {
  static override summary = 'put a person on the list of those who may reach the databases'
  static override description =
    'Everything that an audit of access sees is measured against this list. A role name is a role of the ' +
    'database servers, and speaks for one person or service account only. Nothing is changed on any server. ' +
    'Only the owner of the cleverctl database may change the list. The same command again changes nothing; ' +
    'what was on the list at which time, cleverctl trail list tells.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> engineer@example.com --name Engineer --role-name engineer --network 10.77.0.1/32 --until 2027-12-31',
    '<%= config.bin %> <%= command.id %> engineer@example.com --name Engineer --role-name engineer --network 10.77.0.1/32 --until 2028-12-31 --replace',
  ]

  static override args = emailArg

  static override flags = {
    name: Flags.string({ description: 'name of the person (asked for in a terminal)' }),
    'role-name': Flags.string({
      description: 'role of the person on the database servers; may be given several times',
      helpValue: 'ROLE',
      required: true,
      multiple: true,
      multipleNonGreedy: true,
    }),
    ...accountFlags,
  }

  protected async execute(): Promise<AddedAccount> {
    const { args, flags } = await this.parse(StaffAdd)
    const name = await this.textInput(flags, {
      value: flags.name,
      flagName: 'name',
      question: 'Name of the person',
    })
    const { 'role-name': roleNames, network: networks = [], until = null } = flags
    return addAccount(await this.changingWorkspace(flags), {
      kind: 'staff',
      handle: args.email,
      description: name.trim(),
      owner: null,
      roleNames,
      networks,
      until,
      isReplaced: flags.replace,
    })
  }

  protected render(result: AddedAccount): void {
    if ('email' in result) this.screen.line(`staff ${result.email} ${result.outcome}`)
  }
}
