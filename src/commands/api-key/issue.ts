import type { UndeliveredKey } from '../../lib/api-key/deliver-to-sinks.js'
import { issueApiKey } from '../../lib/api-key/issue.js'
import type { NewApiKey } from '../../lib/api-key/types.js'
import { installationArg } from '../../lib/terminal/arguments.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { deliverFlag, durationFlag, secretOutputFlags } from '../../lib/terminal/flags.js'
import { drawNewKey } from '../../lib/terminal/new-key.js'

export default class ApiKeyIssue extends BaseCommand<NewApiKey | UndeliveredKey> {
  static override summary = "make an installation's first API key"
  static override description =
    'The key is shown once and only its digest is kept. An installation has one current key; the ' +
    'next one comes by `api-key rotate`. Where the current key has expired or was revoked, issue makes a new one.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> solar-0042 --output key.txt',
    '<%= config.bin %> <%= command.id %> solar-0042 --output key.txt --expires-in 365d',
    '<%= config.bin %> <%= command.id %> solar-0042 --deliver dotenv:logger.env#CLEVERCTL_API_KEY',
  ]

  static override args = installationArg

  static override flags = {
    'expires-in': durationFlag({
      description: 'how long the key works (without it: until it is rotated or revoked)',
    }),
    ...secretOutputFlags,
    ...deliverFlag,
  }

  protected async execute(): Promise<NewApiKey> {
    const { args, flags } = await this.parse(ApiKeyIssue)
    const delivery = await this.secretDestination(flags).ofKey()
    const workspace = await this.changingWorkspace(flags)
    const { installation } = args
    return issueApiKey(workspace, { installation, lifetimeMs: flags['expires-in'], delivery })
  }

  protected render(made: NewApiKey | UndeliveredKey): void {
    drawNewKey(this.screen, made)
  }
}
