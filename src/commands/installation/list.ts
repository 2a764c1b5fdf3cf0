import { Flags } from '@oclif/core'
import { type InstallationPage, listInstallations } from '../../lib/installation/list.js'
import { INSTALLATION_STATES } from '../../lib/installation/types.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { pageFlags } from '../../lib/terminal/flags.js'

export default class InstallationList extends BaseCommand<InstallationPage> {
  static override summary = 'list installations by code, page by page'
  static override description = 'A cursor is the last code of the page before.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --state active --code-prefix solar-00 --limit 1000',
  ]

  static override flags = {
    state: Flags.option({ options: INSTALLATION_STATES })({
      description: 'only installations in this state',
    }),
    'code-prefix': Flags.string({ description: 'only codes that begin like this' }),
    ...pageFlags,
  }

  protected async execute(): Promise<InstallationPage> {
    const { flags } = await this.parse(InstallationList)
    const { state, limit, cursor } = flags
    const codePrefix = flags['code-prefix']
    return listInstallations(await this.workspace(flags), { state, codePrefix, limit, cursor })
  }

  protected render({ installations, nextCursor }: InstallationPage): void {
    this.screen.table(installations, [
      { title: 'CODE', text: ({ code }) => code },
      { title: 'NAME', text: ({ name }) => name },
      { title: 'STATE', text: ({ state }) => state },
      { title: 'DEVICES', text: ({ devices }) => String(devices), align: 'right' },
      { title: 'TIME ZONE', text: ({ timezone }) => timezone },
    ])
    if (nextCursor !== undefined && this.screen.isTerminal)
      this.screen.line(`more: --cursor ${nextCursor}`)
  }
}
