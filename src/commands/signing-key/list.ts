import { listSigningKeys } from '../../lib/signing-key/list.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'

type SigningKeys = Awaited<ReturnType<typeof listSigningKeys>>

export default class SigningKeyList extends BaseCommand<SigningKeys> {
  static override summary = 'list the keys that sign tokens'
  static override description =
    'NEXT is published and signs after the next rotation, ACTIVE signs, VERIFY signs no more while its ' +
    'tokens still hold, RETIRED has no living token, REVOKED was compromised.'

  static override examples = ['<%= config.bin %> <%= command.id %>']

  protected async execute(): Promise<SigningKeys> {
    const { flags } = await this.parse(SigningKeyList)
    return listSigningKeys(await this.workspace(flags))
  }

  protected render({ signingKeys }: SigningKeys): void {
    this.screen.table(signingKeys, [
      { title: 'KID', text: ({ kid }) => kid },
      { title: 'STATE', text: ({ state }) => state },
      { title: 'ALGORITHM', text: ({ algorithm }) => algorithm, isMinor: true },
      { title: 'CREATED', text: ({ createdAt }) => this.screen.time(createdAt), isMinor: true },
      { title: 'ACTIVATED', text: ({ activatedAt }) => this.screen.time(activatedAt) },
      { title: 'VERIFIES UNTIL', text: ({ verifyUntil }) => this.screen.time(verifyUntil) },
      { title: 'REVOKED', text: ({ revokedAt }) => this.screen.time(revokedAt) },
    ])
  }
}
