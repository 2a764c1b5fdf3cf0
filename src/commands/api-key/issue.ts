import { Args } from '@oclif/core'
import { issueApiKey } from '../../lib/api-key/issue.js'
import type { NewApiKey } from '../../lib/api-key/types.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { durationFlag, secretOutputFlags } from '../../lib/terminal/flags.js'

export default class ApiKeyIssue extends BaseCommand<NewApiKey> {
  static override summary = "make an installation's first API key"
  static override description =
    'The key is shown once and only its digest is kept. An installation has one current key; the ' +
    'next one comes by `api-key rotate`. Where the current key has expired or was revoked, issue makes a new one.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> solar-0042 --output key.txt',
    '<%= config.bin %> <%= command.id %> solar-0042 --output key.txt --expires-in 365d',
  ]

  static override args = {
    installation: Args.string({
      description: 'code of the installation',
      required: true,
      ignoreStdin: true,
    }),
  }

  static override flags = {
    'expires-in': durationFlag({
      description: 'how long the key works (without it: until it is rotated or revoked)',
    }),
    ...secretOutputFlags,
  }

  protected async execute(): Promise<NewApiKey> {
    const { args, flags } = await this.parse(ApiKeyIssue)
    const delivery = this.requiredDelivery(flags)
    const workspace = await this.changingWorkspace(flags)
    const { installation } = args
    return issueApiKey(workspace, { installation, lifetimeMs: flags['expires-in'], delivery })
  }

  protected render(made: NewApiKey): void {
    this.screen.facts([
      ['installation', made.installation],
      ['key id', made.keyId],
      ['version', String(made.version)],
      ['expires', this.screen.time(made.expiresAt)],
    ])
  }
}
