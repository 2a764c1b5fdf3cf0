import { Flags } from '@oclif/core'
import type { RotatedRouter } from '../../lib/router/rotation/rotate.js'
import { rotateOneRouter } from '../../lib/router/rotation/rotate-one.js'
import {
  planRouterRotations,
  rotateRouters,
  type RouterCampaign,
  type Targets,
} from '../../lib/router/rotation/rotate-many.js'
import {
  DEFAULT_OVERLAP_MS,
  DEFAULT_ROLLBACK_MS,
  parseRotated,
  type RotationChoice,
} from '../../lib/router/rotation/types.js'
import { anyInstallationsArg } from '../../lib/terminal/arguments.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import {
  needsForRouters,
  DEFAULT_ROUTERS_AT_ONCE,
  detachFlag,
  isCampaign,
  paceFlags,
  paceOf,
  requireChoice,
  routerConcurrencyFlag,
} from '../../lib/terminal/campaign-flags.js'
import { drawCampaign } from '../../lib/terminal/campaign-report.js'
import { dryRunFlag, durationFlag, yesFlag } from '../../lib/terminal/flags.js'

type Result = (RotatedRouter & Targets) | RouterCampaign

export default class RouterRotate extends BaseCommand<Result> {
  static override summary = "replace routers' passwords, Wi-Fi passphrases and Wi-Fi names"
  static override description =
    'New secrets are drawn at random, sealed, and set over SSH. The router is armed first: unless the change is ' +
    'confirmed over a new connection, with the new password, it goes back to the old secrets by itself, after a ' +
    'power cut as well. It ends with the old or the new ones and the database knows with which; after an ' +
    'interruption the same command finishes the work. A new Wi-Fi passphrase cuts the loggers off that do not know ' +
    'it; with --overlap the former one works beside it. Wi-Fi secrets that somebody changed by hand are not ' +
    'overwritten unasked. Several installations make a campaign. Exit codes of one router: 1 it kept its old secrets; ' +
    '4 it refused the login; 6 another host key, another change, or changed by hand; 7 out of reach.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> solar-0042',
    '<%= config.bin %> <%= command.id %> solar-0042 --what wifi,admin --overlap',
    '<%= config.bin %> <%= command.id %> --all --older-than 90d --waves 1,1%,10%,100% --window night',
    '<%= config.bin %> <%= command.id %> --all --what wifi,name --dry-run',
  ]

  static override strict = false

  static override args = anyInstallationsArg

  static override flags = {
    all: Flags.boolean({ description: 'every router of an installation that is not retired' }),
    'older-than': durationFlag({
      description: 'only secrets that are older; without a code, of all routers',
    }),
    what: Flags.string({
      description:
        'what to replace: admin (the password), wifi (the passphrase), name (SSID and passphrase); several with commas',
      default: 'admin',
      helpValue: 'wifi,admin,name',
    }),
    overlap: Flags.boolean({
      description:
        'the former Wi-Fi passphrase works beside the new one until the loggers have moved',
    }),
    'overlap-for': durationFlag({
      description: 'and no longer than this [default: 7d]',
      dependsOn: ['overlap'],
    }),
    'rollback-after': durationFlag({
      description: 'when the router goes back by itself without a confirmation [default: 5m]',
    }),
    overwrite: Flags.boolean({ description: 'also replace what somebody changed by hand' }),
    ...paceFlags,
    ...detachFlag,
    ...routerConcurrencyFlag,
    ...dryRunFlag,
    ...yesFlag,
  }

  protected async execute(): Promise<Result> {
    const { argv, flags } = await this.parse(RouterRotate)
    const installations = argv.map(String)
    requireChoice(installations, flags)
    const choice: RotationChoice = {
      what: parseRotated(flags.what),
      overlapMs: flags.overlap ? (flags['overlap-for'] ?? DEFAULT_OVERLAP_MS) : undefined,
      rollbackMs: flags['rollback-after'] ?? DEFAULT_ROLLBACK_MS,
      olderThanMs: flags['older-than'],
      isOverwriting: flags.overwrite,
    }
    const ways = this.ways(flags)
    const { detach: isDetached, concurrency = DEFAULT_ROUTERS_AT_ONCE } = flags
    const asked = { installations, choice, pace: paceOf(flags), isDetached }
    const needs = needsForRouters(concurrency)
    if (flags['dry-run'])
      return planRouterRotations(await this.workspace(flags, needs), asked, ways)
    const workspace = await this.changingWorkspace(flags, needs)
    await this.confirmInTerminal(flags, async () => {
      const { targets, dark } = await planRouterRotations(workspace, asked, ways)
      if (dark.loggers > 0)
        return `Replace secrets of ${targets} routers? ${dark.loggers} loggers are cut off until somebody gives them the new passphrase.`
      return targets > 1 ? `Replace secrets of ${targets} routers?` : undefined
    })
    const [installation] = installations
    if (installation !== undefined && !isCampaign(installations, flags)) {
      return rotateOneRouter(workspace, { installation, choice }, ways)
    }
    return rotateRouters(workspace, { ...asked, concurrency }, ways)
  }

  protected render(result: Result): void {
    if ('targets' in result) return this.#drawCampaign(result)
    const { installation, outcome, credentials, stations, dark, overlapUntil } = result
    this.screen.facts([
      ['installation', installation],
      ['outcome', outcome],
      ...credentials.map(
        ({ kind, version, name }) => [kind, `version ${version}, ${name}`] as const,
      ),
      ...(result.passwordProven === false
        ? ([['password', 'set, and not seen to log in: the router takes none by SSH']] as const)
        : []),
      ...(stations
        ? ([['stations on air', `${stations.before} before, ${stations.after} now`]] as const)
        : []),
      ...(overlapUntil === null
        ? []
        : ([['former passphrase', `ends ${this.screen.time(overlapUntil)}`]] as const)),
      ...(dark.count === 0
        ? []
        : ([['loggers cut off', `${dark.count}, such as ${dark.serials[0]}`]] as const)),
    ])
    if (dark.count > 0) this.screen.step(`cleverctl router qr ${installation}`)
  }

  #drawCampaign(report: RouterCampaign): void {
    drawCampaign(this.screen, report)
    const { loggers, installations, serials } = report.dark
    if (loggers > 0)
      this.screen.line(
        `${loggers} loggers at ${installations} installations are cut off, such as ${serials[0]}: each until somebody gives it the new passphrase`,
      )
  }
}
