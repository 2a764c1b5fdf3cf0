import { Flags } from '@oclif/core'
import type { UndeliveredKey } from '../../lib/api-key/deliver-to-sinks.js'
import { rotateApiKey, type RotatedApiKey } from '../../lib/api-key/rotate.js'
import { planRotations, rotateApiKeys } from '../../lib/api-key/rotate-many.js'
import {
  DEFAULT_GRACE_MS,
  DEFAULT_HARD_DEADLINE_MS,
  type Overlap,
} from '../../lib/api-key/types.js'
import type { CampaignReport } from '../../lib/campaign/types.js'
import { UsageError } from '../../lib/errors.js'
import { anyInstallationsArg } from '../../lib/terminal/arguments.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import {
  campaignFlag,
  concurrencyFlag,
  DEFAULT_CONCURRENCY,
  detachFlag,
  isCampaign,
  OWN_CONNECTIONS,
  paceFlags,
  paceOf,
  requireChoice,
} from '../../lib/terminal/campaign-flags.js'
import { drawCampaign } from '../../lib/terminal/campaign-report.js'
import {
  deliverFlag,
  dryRunFlag,
  durationFlag,
  percentFlag,
  secretOutputFlags,
  yesFlag,
} from '../../lib/terminal/flags.js'
import { drawNewKey } from '../../lib/terminal/new-key.js'

type Result = RotatedApiKey | UndeliveredKey | CampaignReport

export default class ApiKeyRotate extends BaseCommand<Result> {
  static override summary = 'replace API keys, of one installation or of many, with overlap'
  static override description =
    'Gates hand the new key to each logger that comes with a former one. Former keys go on working for ' +
    'the grace and no longer; with --require-adoption until the loggers were seen with the new key, and ' +
    'no longer than the hard deadline. A former key never outlives its own expiry. With --grace 0, for ' +
    'a key that leaked, only the new key works from now on. With --deliver the new key is in force, and the ' +
    'grace begins, when every sink has confirmed it; a sink that fails leaves the former key in force (exit 3). ' +
    'Several installations make a campaign: their keys are shown to nobody, and go to the loggers through the ' +
    'gates. The same command once more goes on with what is unfinished. Exit codes: 3 some failed, or a rule ' +
    'stopped it; 6 another campaign holds them.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> solar-0042 --grace 24h --output key2.txt',
    '<%= config.bin %> <%= command.id %> --all --older-than 90d --require-adoption 100% --waves 1,1%,10%,100% --max-failures 2%',
    '<%= config.bin %> <%= command.id %> --all --window night --wave-pause 1h --waves 1,10%,100% --dry-run',
    "<%= config.bin %> <%= command.id %> solar-0042 --deliver exec:'vault kv put -mount=ci solar-0042 key=-'",
  ]

  static override strict = false

  static override args = anyInstallationsArg

  static override flags = {
    all: Flags.boolean({ description: 'every installation with a current key that works' }),
    'older-than': durationFlag({
      description: 'only keys that are older; without a code, of all installations',
    }),
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
    ...paceFlags,
    ...detachFlag,
    ...concurrencyFlag,
    ...dryRunFlag,
    ...yesFlag,
  }

  /** What was begun is finished after SIGINT and SIGTERM. */
  protected override readonly graceMs = 30_000

  protected async execute(): Promise<Result> {
    const { argv, flags } = await this.parse(ApiKeyRotate)
    const installations = argv.map(String)
    requireChoice(installations, flags)
    const [installation] = installations
    const { overlap, lifetimeMs } = overlapOf(flags)
    const isMany = isCampaign(installations, flags)
    const way = (['output', 'reveal', 'deliver'] as const).find((name) => flags[name])
    if (isMany && way !== undefined) throw keysNotShown(way, installations, campaignFlag(flags))
    if (installation !== undefined && !isMany) {
      const isHandedOver = overlap.graceMs > 0 || overlap.adoption !== undefined
      const delivery = await this.secretDestination(flags).ofKey({ isHandedOver })
      const workspace = await this.changingWorkspace(flags)
      return rotateApiKey(workspace, { installation, overlap, lifetimeMs, delivery })
    }
    const { detach: isDetached, concurrency = DEFAULT_CONCURRENCY } = flags
    const { 'older-than': olderThanMs } = flags
    const asked = {
      installations,
      overlap,
      lifetimeMs,
      olderThanMs,
      pace: paceOf(flags),
      isDetached,
    }
    const needs = { maxConnections: concurrency + OWN_CONNECTIONS, finishesStatements: true }
    if (flags['dry-run']) return planRotations(await this.workspace(flags, needs), asked)
    const workspace = await this.changingWorkspace(flags, needs)
    await this.confirmInTerminal(flags, async () => {
      const { targets } = await planRotations(workspace, asked)
      return targets > 1 ? `Replace the API keys of ${targets} installations?` : undefined
    })
    return rotateApiKeys(workspace, { ...asked, concurrency })
  }

  protected render(made: Result): void {
    if ('targets' in made) return drawCampaign(this.screen, made)
    const former = ('grace' in made ? made.grace : []).map(
      ({ keyId, graceUntil }) => [`${keyId} works until`, this.screen.time(graceUntil)] as const,
    )
    drawNewKey(this.screen, made, former)
  }
}

function overlapOf(flags: {
  grace?: number | undefined
  'require-adoption'?: number | undefined
  'hard-deadline'?: number | undefined
  'expires-in'?: number | undefined
}): { overlap: Overlap; lifetimeMs: number | undefined } {
  const { grace: graceMs = DEFAULT_GRACE_MS, 'require-adoption': percent } = flags
  const { 'hard-deadline': hardDeadlineMs = DEFAULT_HARD_DEADLINE_MS } = flags
  const adoption = percent === undefined ? undefined : { percent, hardDeadlineMs }
  return { overlap: { graceMs, adoption }, lifetimeMs: flags['expires-in'] }
}

function keysNotShown(
  way: string,
  installations: readonly string[],
  flag: string | undefined,
): UsageError {
  const cause = installations.length === 1 ? `--${flag}` : 'several installations'
  return new UsageError(
    'keys-not-shown',
    `--${way} takes the key of one installation, and ${cause} makes a campaign, whose keys go to the loggers through the gates`,
    { suggestions: ['rotate the ones whose key is needed elsewhere one by one'] },
  )
}
