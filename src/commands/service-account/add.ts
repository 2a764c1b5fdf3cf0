import { Flags } from '@oclif/core'
import { addAccount, type AddedAccount } from '../../lib/staff/add.js'
import { accountFlags } from '../../lib/terminal/accounts.js'
import { serviceAccountArg } from '../../lib/terminal/arguments.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'

export default class ServiceAccountAdd extends BaseCommand<AddedAccount> {
  static override summary =
    'put the database role of a program on the list of those who may reach the databases'
  static override description =
    'A service account is replication, a backup, a gate: a program that logs in to the database servers, and ' +
    'for which a member of staff answers. Without --role-name its role is called as it is. Nothing is changed ' +
    'on any server. Only the owner of the cleverctl database may change the list. The same command again ' +
    'changes nothing.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> replicator --purpose replication --owner engineer@example.com --network 10.77.0.11/32 --network 10.77.0.12/32',
    '<%= config.bin %> <%= command.id %> gate --purpose "data arrives" --owner engineer@example.com --role-name gate_a --role-name gate_b --network 10.77.1.0/24',
  ]

  static override args = serviceAccountArg

  static override flags = {
    purpose: Flags.string({ description: 'what the program is there for', required: true }),
    owner: Flags.string({
      description: 'the member of staff who answers for it',
      helpValue: 'EMAIL',
      required: true,
    }),
    'role-name': Flags.string({
      description: 'its role on the database servers; may be given several times',
      helpValue: 'ROLE',
      multiple: true,
      multipleNonGreedy: true,
    }),
    ...accountFlags,
  }

  protected async execute(): Promise<AddedAccount> {
    const { args, flags } = await this.parse(ServiceAccountAdd)
    const { 'role-name': roleNames = [args.name], network: networks = [], until = null } = flags
    return addAccount(await this.changingWorkspace(flags), {
      kind: 'service-account',
      handle: args.name,
      description: flags.purpose.trim(),
      owner: flags.owner,
      roleNames,
      networks,
      until,
      isReplaced: flags.replace,
    })
  }

  protected render(result: AddedAccount): void {
    this.screen.line(`service account ${result.name} ${result.outcome}`)
  }
}
