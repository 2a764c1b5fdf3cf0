import { Flags } from '@oclif/core'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { yesFlag } from '../../lib/terminal/flags.js'
import { revokeTokens, type RevokedTokens } from '../../lib/token/revoke.js'

export default class TokenRevoke extends BaseCommand<RevokedTokens> {
  static override summary = 'end every token of an installation or a device'
  static override description =
    'Gates refuse the tokens within a second. Devices that are still allowed to send fetch new ones ' +
    'with their secret; to keep a device out, revoke the device.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> --device CDX-000123 --yes',
    '<%= config.bin %> <%= command.id %> --installation solar-0042 --yes',
  ]

  static override flags = {
    installation: Flags.string({
      description: 'code of the installation',
      helpValue: 'CODE',
      exactlyOne: ['installation', 'device'],
    }),
    device: Flags.string({ description: 'serial of the device', helpValue: 'SERIAL' }),
    ...yesFlag,
  }

  protected async execute(): Promise<RevokedTokens> {
    const { flags } = await this.parse(TokenRevoke)
    const { installation, device = '' } = flags
    const scope = installation === undefined ? { device } : { installation }
    await this.confirm(flags, `End every token of ${installation ?? device}?`)
    return revokeTokens(await this.changingWorkspace(flags), scope)
  }

  protected render(result: RevokedTokens): void {
    this.screen.facts([
      'device' in result ? ['device', result.device] : ['installation', result.installation],
      ['token epoch', String(result.tokenEpoch)],
    ])
  }
}
