import { Flags } from '@oclif/core'
import { revokeApiKey, type RevokedApiKeys } from '../../lib/api-key/revoke.js'
import { installationArg } from '../../lib/terminal/arguments.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { yesFlag } from '../../lib/terminal/flags.js'
import { stragglerColumns } from '../../lib/terminal/key-columns.js'

export default class ApiKeyRevoke extends BaseCommand<RevokedApiKeys> {
  static override summary = 'end API keys of an installation at once'
  static override description =
    'Gates refuse a revoked key within a second, without any grace. A logger that has no other key ' +
    'cannot send any more, nor fetch a new key: those are listed, and need it put in on site. Where the ' +
    'key has not leaked, `api-key rotate` hands the new one over first.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> solar-0042 --key k7Qd2XbA --reason leaked',
    '<%= config.bin %> <%= command.id %> solar-0042 --all --reason "router stolen" --yes',
    '<%= config.bin %> <%= command.id %> solar-0042 --key k7Qd2XbA --compromised --yes',
  ]

  static override args = installationArg

  static override flags = {
    key: Flags.string({
      description: 'id of the key, as `api-key list` shows it',
      helpValue: 'KEYID',
      exactlyOne: ['key', 'all'],
    }),
    all: Flags.boolean({ description: 'every key that could still open the gate' }),
    compromised: Flags.boolean({ description: 'somebody else has it: the reason, in one word' }),
    reason: Flags.string({
      description: 'why; kept in the trail',
      atLeastOne: ['reason', 'compromised'],
    }),
    ...yesFlag,
  }

  protected async execute(): Promise<RevokedApiKeys> {
    const { args, flags } = await this.parse(ApiKeyRevoke)
    const { key: keyId, reason = 'compromised' } = flags
    const meant = keyId === undefined ? 'every API key' : `API key ${keyId}`
    await this.confirm(flags, `Revoke ${meant} of ${args.installation}?`)
    const workspace = await this.changingWorkspace(flags)
    return revokeApiKey(workspace, { installation: args.installation, keyId, reason })
  }

  protected render(result: RevokedApiKeys): void {
    const { installation, revoked, unchanged, currentKeyId, dark } = result
    this.screen.facts([
      ['installation', installation],
      ['revoked', revoked.join(' ') || '-'],
      ['unchanged', unchanged.join(' ') || '-'],
      ['current key', currentKeyId ?? '-'],
      ['dark devices', String(dark.length)],
    ])
    if (dark.length > 0) {
      this.screen.heading('Dark until the new key is put in on site')
      this.screen.table(dark, stragglerColumns(this.screen))
    }
    if (currentKeyId === null)
      this.screen.step(`${this.config.bin} api-key issue ${installation} --output key.txt`)
  }
}
