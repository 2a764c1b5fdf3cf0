import { Flags } from '@oclif/core'
import { setPolicy, type SetPolicy } from '../../../lib/access/policy/set.js'
import { drawPolicy } from '../../../lib/terminal/access-policy.js'
import { BaseCommand } from '../../../lib/terminal/base-command.js'
import { durationFlag } from '../../../lib/terminal/flags.js'

export default class AccessPolicySet extends BaseCommand<SetPolicy> {
  static override summary = 'say which grants a second member of staff has to approve'
  static override description =
    'A grant that meets one of the conditions is only requested by access grant, and made when somebody else has ' +
    'given access approve. The former policy is replaced as a whole; requests that wait go on waiting. Refused where ' +
    'fewer than two people on the list can log in to the cleverctl database by roles of their own, because then ' +
    'nobody could approve. Only the owner of the cleverctl database may set it, and the trail keeps the former one.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> --always',
    '<%= config.bin %> <%= command.id %> --longer-than 1h --changing --database billing --lapse 4h',
    '<%= config.bin %> <%= command.id %> --never',
  ]

  static override flags = {
    always: Flags.boolean({ description: 'every grant', exclusive: ['longer-than', 'never'] }),
    'longer-than': durationFlag({
      description: 'grants for longer than this',
      exclusive: ['never'],
    }),
    changing: Flags.boolean({
      description: 'grants that may change rows',
      exclusive: ['never'],
    }),
    database: Flags.string({
      description: 'grants for this database; may be given several times',
      helpValue: 'NAME',
      multiple: true,
      multipleNonGreedy: true,
      exclusive: ['never'],
    }),
    never: Flags.boolean({ description: 'no grant' }),
    lapse: durationFlag({
      description: 'how long a request waits, a week at most [default: 24h]',
      default: 86_400_000,
      defaultHelp: async () => undefined,
    }),
  }

  protected async execute(): Promise<SetPolicy> {
    const { flags } = await this.parse(AccessPolicySet)
    const { always, never, changing, database: databases = [], lapse } = flags
    return setPolicy(await this.changingWorkspace(flags), {
      longerThanMs: always ? 0 : (flags['longer-than'] ?? null),
      changing,
      databases,
      lapseAfterMs: lapse,
      isNever: never,
    })
  }

  protected render(policy: SetPolicy): void {
    this.screen.facts([['policy', policy.outcome]])
    drawPolicy(this.screen, policy)
  }
}
