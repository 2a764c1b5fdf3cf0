import { Flags } from '@oclif/core'
import {
  revealCredential,
  REVEALED_KINDS,
  type RevealedCredential,
} from '../../lib/router/reveal.js'
import { installationArg } from '../../lib/terminal/arguments.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { secretOutputFlags } from '../../lib/terminal/flags.js'

export default class RouterReveal extends BaseCommand<RevealedCredential> {
  static override summary = "give one secret of an installation's router away"
  static override description =
    'The trail takes down who, which and why before the secret is shown.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> solar-0042 --what admin --reason "site visit" --output password.txt',
    '<%= config.bin %> <%= command.id %> solar-0042 --what wifi --reason "new logger"',
  ]

  static override args = installationArg

  static override flags = {
    what: Flags.option({ options: REVEALED_KINDS, required: true })({
      description: "the router's password, or the Wi-Fi's passphrase",
    }),
    reason: Flags.string({ description: 'why, for the trail', required: true }),
    ...secretOutputFlags,
  }

  protected async execute(): Promise<RevealedCredential> {
    const { args, flags } = await this.parse(RouterReveal)
    const { what, reason } = flags
    const delivery = this.secretDestination(flags).required()
    const { installation } = args
    const workspace = await this.changingWorkspace(flags)
    return revealCredential(workspace, { installation, what, reason, delivery })
  }

  protected render(result: RevealedCredential): void {
    this.screen.facts([
      ['installation', result.installation],
      ['what', result.what],
      ['name', result.name],
      ['version', String(result.version)],
    ])
  }
}
