import { Flags } from '@oclif/core'
import { rotateSigningKey, type SigningKeyRotation } from '../../lib/signing-key/rotate.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { yesFlag } from '../../lib/terminal/flags.js'

export default class SigningKeyRotate extends BaseCommand<SigningKeyRotation> {
  static override summary = 'let the next key sign tokens'
  static override description =
    'The published NEXT key becomes the one that signs, and a new NEXT is published. The former key ' +
    'signs no more; its tokens hold until the last of them is dead. With --compromised every key is ' +
    'revoked and made anew: all tokens are refused at once, and devices fetch new ones with their secret.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --compromised --yes',
  ]

  static override flags = {
    now: Flags.boolean({
      description: 'even if the next key was published less than two minutes ago',
    }),
    compromised: Flags.boolean({
      description: 'a private key may be known to somebody: revoke them all',
    }),
    ...yesFlag,
  }

  protected async execute(): Promise<SigningKeyRotation> {
    const { flags } = await this.parse(SigningKeyRotate)
    const { now: isUrgent, compromised: isCompromised } = flags
    if (isCompromised) await this.confirm(flags, 'Revoke every signing key and end all tokens?')
    return rotateSigningKey(await this.changingWorkspace(flags), { isUrgent, isCompromised })
  }

  protected render({ active, next, former, revoked }: SigningKeyRotation): void {
    this.screen.facts([
      ['signs now', active],
      ['signs next', next],
      ['former key', former?.kid ?? '-'],
      ['its tokens hold until', this.screen.time(former?.verifyUntil)],
      ['revoked', revoked.join(' ') || '-'],
    ])
  }
}
