import { Flags } from '@oclif/core'
import { checkRouters } from '../../lib/router/check/check.js'
import { parseWantedFirmware } from '../../lib/router/check/firmware.js'
import { selectionOf } from '../../lib/router/check/targets.js'
import { SEVERITIES, type RouterCheck } from '../../lib/router/check/types.js'
import { ROUTER_DRIVERS } from '../../lib/router/types.js'
import { anyInstallationsArg } from '../../lib/terminal/arguments.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { drawRouterCheck } from '../../lib/terminal/router-check.js'
import { sarifFile, sarifFlag } from '../../lib/terminal/sarif.js'

export default class RouterCheckCommand extends BaseCommand<RouterCheck> {
  static override summary = 'find what routers have otherwise than it is recorded, and what is weak'
  static override description =
    'Logs in to each router with its recorded credential and changes nothing there. Names and passphrases are ' +
    'compared by digests under a salt of this run, so no secret leaves a router; RouterOS makes no such digests, and ' +
    'its passphrases are digested here as they arrive. Beside drift: weak or open Wi-Fi, ' +
    'WPS, passwords that everybody knows, that two routers share or that can be computed from a MAC address, unknown ' +
    'keys, firmware, edits that nobody saved, rotations that did not end. The trail takes down who checked. Exit ' +
    'codes: 0 nothing as bad as --fail-on was found; 6 a host key changed; else 4 a router refused its credential; ' +
    'else 8 findings; else 7 a router was out of reach; else 1 one could not be checked for another reason.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> solar-0042',
    '<%= config.bin %> <%= command.id %> --all --json',
    '<%= config.bin %> <%= command.id %> --driver openwrt --firmware openwrt=23.05.5 --sarif routers.sarif',
  ]

  static override strict = false

  static override args = anyInstallationsArg

  static override flags = {
    all: Flags.boolean({ description: 'every router', exclusive: ['driver'] }),
    driver: Flags.option({ options: ROUTER_DRIVERS })({ description: 'every router of this kind' }),
    concurrency: Flags.integer({
      description: 'routers at a time; each is one connection',
      default: 32,
      min: 1,
      max: 256,
    }),
    firmware: Flags.string({
      description: 'the oldest version that is good enough, by driver; may be given several times',
      helpValue: 'DRIVER=VERSION',
      multiple: true,
      multipleNonGreedy: true,
    }),
    'fail-on': Flags.option({ options: SEVERITIES })({
      description: 'the mildest severity that makes the exit code 8',
      default: 'warning',
    }),
    ...sarifFlag,
  }

  protected async execute(): Promise<RouterCheck> {
    const { argv, flags } = await this.parse(RouterCheckCommand)
    const { all, driver, concurrency, firmware = [], 'fail-on': failOn } = flags
    const selection = selectionOf({ installations: argv.map(String), all, driver })
    const asked = {
      selection,
      concurrency,
      failOn: failOn ?? 'warning',
      firmware: parseWantedFirmware(firmware, ROUTER_DRIVERS),
      sarif: sarifFile(flags.sarif, this.config.version),
    }
    return checkRouters(await this.workspace(flags), asked, this.ways(flags))
  }

  protected render(check: RouterCheck): void {
    drawRouterCheck(this.screen, check)
  }
}
