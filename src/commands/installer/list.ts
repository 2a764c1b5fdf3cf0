import { Flags } from '@oclif/core'
import { type ListedInstaller, listInstallers } from '../../lib/installer/list.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'

export default class InstallerList extends BaseCommand<{ installers: ListedInstaller[] }> {
  static override summary = 'list the people who use the mobile app'
  static override description =
    'State is enabled, locked (too many wrong passwords, ends by itself) or disabled.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --installation solar-0042',
  ]

  static override flags = {
    installation: Flags.string({
      description: 'only those who may place devices at this installation',
      helpValue: 'CODE',
    }),
  }

  protected async execute(): Promise<{ installers: ListedInstaller[] }> {
    const { flags } = await this.parse(InstallerList)
    return listInstallers(await this.workspace(flags), { installation: flags.installation })
  }

  protected render({ installers }: { installers: ListedInstaller[] }): void {
    this.screen.table(installers, [
      { title: 'EMAIL', text: ({ email }) => email },
      { title: 'NAME', text: ({ name }) => name },
      {
        title: 'INSTALLATIONS',
        text: ({ installations }) => String(installations.length),
        align: 'right',
      },
      { title: 'STATE', text: ({ state }) => state },
      { title: 'LOCKED UNTIL', text: ({ lockedUntil }) => this.screen.time(lockedUntil) },
    ])
  }
}
