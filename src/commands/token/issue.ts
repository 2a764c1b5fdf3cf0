import { serialArg } from '../../lib/terminal/arguments.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { durationFlag, secretOutputFlags } from '../../lib/terminal/flags.js'
import { issueToken, type IssuedToken } from '../../lib/token/issue.js'
import { DEFAULT_TOKEN_TTL_MS } from '../../lib/token/types.js'

export default class TokenIssue extends BaseCommand<IssuedToken> {
  static override summary = 'issue a token for a device'
  static override description =
    'Devices fetch their tokens from the gate; this is for tests and for engineers who stand in for a ' +
    'device. The token holds at the installation where the device stands, and dies by itself.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> CDX-000123 --output token.txt',
    '<%= config.bin %> <%= command.id %> CDX-000123 --ttl 5s --output token.txt',
  ]

  static override args = serialArg

  static override flags = {
    ttl: durationFlag({ description: 'how long the token lives, 1h at most [default: 15m]' }),
    ...secretOutputFlags,
  }

  protected async execute(): Promise<IssuedToken> {
    const { args, flags } = await this.parse(TokenIssue)
    const delivery = this.secretDestination(flags).required()
    const workspace = await this.changingWorkspace(flags)
    const ttlMs = flags.ttl ?? DEFAULT_TOKEN_TTL_MS
    return issueToken(workspace, { serial: args.serial, ttlMs, delivery })
  }

  protected render(issued: IssuedToken): void {
    this.screen.facts([
      ['device', issued.serial],
      ['installation', issued.installation],
      ['token id', issued.tokenId],
      ['signing key', issued.kid],
      ['expires', this.screen.time(issued.expiresAt)],
    ])
  }
}
