import { Args } from '@oclif/core'
import type { UndeliveredKey } from '../../lib/api-key/deliver-to-sinks.js'
import { rotateApiKey, type RotatedApiKey } from '../../lib/api-key/rotate.js'
import { DEFAULT_GRACE_MS, DEFAULT_HARD_DEADLINE_MS } from '../../lib/api-key/types.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import {
  deliverFlag,
  durationFlag,
  percentFlag,
  secretOutputFlags,
} from '../../lib/terminal/flags.js'
import { drawNewKey } from '../../lib/terminal/new-key.js'

export default class ApiKeyRotate extends BaseCommand<RotatedApiKey | UndeliveredKey> {
  static override summary = 'replace the API key of an installation, with overlap'
  static override description =
    'Gates hand the new key to each logger that comes with a former one. Former keys go on working for ' +
    'the grace and no longer; with --require-adoption until the loggers were seen with the new key, and ' +
    'no longer than the hard deadline. A former key never outlives its own expiry. With --grace 0, for ' +
    'a key that leaked, only the new key works from now on. With --deliver the new key is in force, and the ' +
    'grace begins, when every sink has confirmed it; a sink that fails leaves the former key in force (exit 3).'

  static override examples = [
    '<%= config.bin %> <%= command.id %> solar-0042 --grace 24h --output key2.txt',
    '<%= config.bin %> <%= command.id %> solar-0042 --require-adoption 100% --hard-deadline 14d',
    '<%= config.bin %> <%= command.id %> solar-0042 --grace 0 --output key2.txt',
    "<%= config.bin %> <%= command.id %> solar-0042 --deliver exec:'vault kv put -mount=ci solar-0042 key=-'",
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
    ...deliverFlag,
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
    const delivery = await this.keyDestination(flags, { isHandedOver })
    const workspace = await this.changingWorkspace(flags)
    const { installation } = args
    const overlap = { graceMs, adoption }
    return rotateApiKey(workspace, { installation, overlap, lifetimeMs, delivery })
  }

  protected render(made: RotatedApiKey | UndeliveredKey): void {
    const former = ('grace' in made ? made.grace : []).map(
      ({ keyId, graceUntil }) => [`${keyId} works until`, this.screen.time(graceUntil)] as const,
    )
    drawNewKey(this.screen, made, former)
  }
}
