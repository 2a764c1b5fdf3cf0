import { Args, Flags } from '@oclif/core'
import { revokeApiKey, type RevokedApiKeys } from '../../lib/api-key/revoke.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { yesFlag } from '../../lib/terminal/flags.js'

export default class ApiKeyRevoke extends BaseCommand<RevokedApiKeys> {
  static override summary = 'end API keys of an installation at once'
  static override description =
    'Gates refuse a revoked key within a second, without any grace. Data of the installation is ' +
    'refused until its loggers have a key that works; `api-key rotate --grace 0` makes one in the same step.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> solar-0042 --key k7Qd2XbA --reason leaked',
    '<%= config.bin %> <%= command.id %> solar-0042 --all --reason "router stolen" --yes',
  ]

  static override args = {
    installation: Args.string({
      description: 'code of the installation',
      required: true,
      ignoreStdin: true,
    }),
  }

  static override flags = {
    key: Flags.string({
      description: 'id of the key, as `api-key list` shows it',
      helpValue: 'KEYID',
      exactlyOne: ['key', 'all'],
    }),
    all: Flags.boolean({ description: 'every key that could still open the gate' }),
    reason: Flags.string({ description: 'why; kept in the trail', required: true }),
    ...yesFlag,
  }

  protected async execute(): Promise<RevokedApiKeys> {
    const { args, flags } = await this.parse(ApiKeyRevoke)
    const { key: keyId, reason } = flags
    const meant = keyId === undefined ? 'every API key' : `API key ${keyId}`
    await this.confirm(flags, `Revoke ${meant} of ${args.installation}?`)
    const workspace = await this.changingWorkspace(flags)
    return revokeApiKey(workspace, { installation: args.installation, keyId, reason })
  }

  protected render({ installation, revoked, unchanged }: RevokedApiKeys): void {
    this.screen.facts([
      ['installation', installation],
      ['revoked', revoked.join(' ') || '-'],
      ['unchanged', unchanged.join(' ') || '-'],
    ])
  }
}
