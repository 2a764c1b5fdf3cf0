import { Args } from '@oclif/core'
import { rotateApiKey, type RotatedApiKey } from '../../lib/api-key/rotate.js'
import { DEFAULT_GRACE_MS, DEFAULT_HARD_DEADLINE_MS } from '../../lib/api-key/types.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { durationFlag, percentFlag, secretOutputFlags } from '../../lib/terminal/flags.js'

export default class ApiKeyRotate extends BaseCommand<RotatedApiKey> {
  static override summary = 'replace the API key of an installation, with overlap'
  static override description =
    'Gates hand the new key to each logger that comes with a former one. Former keys go on working for ' +
    'the grace and no longer; with --require-adoption until the loggers were seen with the new key, and ' +
    'no longer than the hard deadline. A former key never outlives its own expiry. With --grace 0, for ' +
    'a key that leaked, only the new key works from now on.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> solar-0042 --grace 24h --output key2.txt',
    '<%= config.bin %> <%= command.id %> solar-0042 --require-adoption 100% --hard-deadline 14d',
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
        'how long former keys go on working for certain, 365d at most; 0 ends them at once [default: 24h]',
    }),
    'require-adoption': percentFlag({
      description: 'end former keys only when so many of the devices were seen with the new one',
    }),
    'hard-deadline': durationFlag({
      description: 'the end of former keys whatever is missing [default: 14d]',
      dependsOn: ['require-adoption'],
    }),
    'expires-in': durationFlag({
      description: 'how long the new key works (without it: as long as the former was made for)',
    }),
    ...secretOutputFlags,
  }

  protected async execute(): Promise<RotatedApiKey> {
    const { args, flags } = await this.parse(ApiKeyRotate)
    const { grace: graceMs = DEFAULT_GRACE_MS, 'expires-in': lifetimeMs } = flags
    const { 'require-adoption': percent, 'hard-deadline': deadline } = flags
    const adoption =
      percent === undefined
        ? undefined
        : { percent, hardDeadlineMs: deadline ?? DEFAULT_HARD_DEADLINE_MS }
    const isHandedOver = graceMs > 0 || adoption !== undefined
    const delivery = this.secretDelivery(flags, { isHandedOver })
    const workspace = await this.changingWorkspace(flags)
    const { installation } = args
    const overlap = { graceMs, adoption }
    return rotateApiKey(workspace, { installation, overlap, lifetimeMs, delivery })
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
