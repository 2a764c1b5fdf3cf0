import { Flags } from '@oclif/core'
import { retireInstallation, type RetiredInstallation } from '../../lib/installation/retire.js'
import { installationArg } from '../../lib/terminal/arguments.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { yesFlag } from '../../lib/terminal/flags.js'

export default class InstallationRetire extends BaseCommand<RetiredInstallation> {
  static override summary = 'end an installation for good'
  static override description =
    'Nothing is accepted from it any more, at every running gate within a second; its code is never ' +
    'given again. Refused while devices stand there, unless --force removes them as well.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> solar-0042 --yes',
    '<%= config.bin %> <%= command.id %> solar-0042 --force --yes',
  ]

  static override args = installationArg

  static override flags = {
    force: Flags.boolean({ description: 'remove the devices that still stand there' }),
    ...yesFlag,
  }

  protected async execute(): Promise<RetiredInstallation> {
    const { args, flags } = await this.parse(InstallationRetire)
    const { installation: code } = args
    const workspace = await this.changingWorkspace(flags)
    await this.confirm(flags, `End installation ${code} for good?`)
    return retireInstallation(workspace, { code, withDevices: flags.force })
  }

  protected render(result: RetiredInstallation): void {
    this.screen.facts([
      ['installation', result.code],
      ['outcome', result.outcome],
      ['devices removed', String(result.devicesRemoved)],
      ['retired', this.screen.time(result.retiredAt)],
    ])
  }
}
