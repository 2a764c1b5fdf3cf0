import { getInstallation, type ShownInstallation } from '../../lib/installation/show.js'
import { installationArg } from '../../lib/terminal/arguments.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'

export default class InstallationShow extends BaseCommand<ShownInstallation> {
  static override summary = 'show an installation'
  static override description = 'Never shows a secret.'

  static override examples = ['<%= config.bin %> <%= command.id %> solar-0042']

  static override args = installationArg

  protected async execute(): Promise<ShownInstallation> {
    const { args, flags } = await this.parse(InstallationShow)
    return getInstallation(await this.workspace(flags), { code: args.installation })
  }

  protected render(shown: ShownInstallation): void {
    this.screen.facts([
      ['installation', shown.code],
      ['name', shown.name],
      ['state', shown.state],
      ['time zone', shown.timezone],
      ['latitude', String(shown.latitude)],
      ['longitude', String(shown.longitude)],
      ['devices', String(shown.devices)],
      ['current API key', shown.currentKeyId ?? '-'],
      ['created', this.screen.time(shown.createdAt)],
      ['retired', this.screen.time(shown.retiredAt)],
    ])
  }
}
