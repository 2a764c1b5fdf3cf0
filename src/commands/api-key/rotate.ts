import { Args } from '@oclif/core'
import { rotateApiKey, type RotatedApiKey } from '../../lib/api-key/rotate.js'
import { DEFAULT_GRACE_MS } from '../../lib/api-key/types.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { durationFlag, secretOutputFlags } from '../../lib/terminal/flags.js'

export default class ApiKeyRotate extends BaseCommand<RotatedApiKey> {
  static override summary = 'replace the API key of an installation, with overlap'
  static override description =
    'Every former key goes on working for the grace and no longer, so that loggers can change over ' +
    'without losing a reading. A former key never outlives its own expiry. With --grace 0, for a key ' +
    'that leaked, only the new key works from now on.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> solar-0042 --grace 24h --output key2.txt',
    '<%= config.bin %> <%= command.id %> solar-0042 --grace 0 --output key2.txt',
  ]

  static override args = {
    installation: Args.string({
      description: 'code of the installation',
      required: true,
      ignoreStdin: true,
    }),
  }

  static override flags = {
    grace: durationFlag({
      description:
        'how long former keys go on working, 365d at most; 0 ends them at once [default: 24h]',
    }),
    'expires-in': durationFlag({
      description: 'how long the new key works (without it: as long as the former was made for)',
    }),
    ...secretOutputFlags,
  }

  protected async execute(): Promise<RotatedApiKey> {
    const { args, flags } = await this.parse(ApiKeyRotate)
    const delivery = this.secretDelivery(flags)
    const workspace = await this.changingWorkspace(flags)
    const { installation } = args
    const { grace: graceMs = DEFAULT_GRACE_MS, 'expires-in': lifetimeMs } = flags
    return rotateApiKey(workspace, { installation, graceMs, lifetimeMs, delivery })
  }

  protected render(made: RotatedApiKey): void {
    const former = made.grace.map(
      ({ keyId, graceUntil }) => [`${keyId} works until`, this.screen.time(graceUntil)] as const,
    )
    this.screen.facts([
      ['installation', made.installation],
      ['key id', made.keyId],
      ['version', String(made.version)],
      ['expires', this.screen.time(made.expiresAt)],
      ...former,
    ])
  }
}
