import { Flags } from '@oclif/core'
import { listRouters, type RouterPage } from '../../lib/router/list.js'
import { ROUTER_DRIVERS } from '../../lib/router/types.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { pageFlags } from '../../lib/terminal/flags.js'

export default class RouterList extends BaseCommand<RouterPage> {
  static override summary = 'list the routers by installation, page by page'
  static override description =
    'VERIFIED is when the recorded credential was last seen to open the router. A cursor is the last ' +
    'installation of the page before.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --driver openwrt --limit 1000',
  ]

  static override flags = {
    driver: Flags.option({ options: ROUTER_DRIVERS })({ description: 'only these routers' }),
    ...pageFlags,
  }

  protected async execute(): Promise<RouterPage> {
    const { flags } = await this.parse(RouterList)
    const { driver, limit, cursor } = flags
    return listRouters(await this.workspace(flags), { driver, limit, cursor })
  }

  protected render({ routers, nextCursor }: RouterPage): void {
    this.screen.table(routers, [
      { title: 'INSTALLATION', text: ({ installation }) => installation },
      { title: 'DRIVER', text: ({ driver }) => driver },
      { title: 'ADDRESS', text: ({ address }) => address },
      { title: 'PORT', text: ({ port }) => String(port), align: 'right' },
      { title: 'LOGIN', text: ({ login }) => login },
      { title: 'VERIFIED', text: ({ verifiedAt }) => this.screen.time(verifiedAt) },
    ])
    if (nextCursor !== undefined && this.screen.isTerminal)
      this.screen.line(`more: --cursor ${nextCursor}`)
  }
}
