import { getRouter, type ShownRouter } from '../../lib/router/show.js'
import { installationArg } from '../../lib/terminal/arguments.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'

export default class RouterShow extends BaseCommand<ShownRouter> {
  static override summary = "show an installation's router and the versions of its secrets"
  static override description = 'Never shows a secret; `router reveal` does.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> solar-0042',
    '<%= config.bin %> <%= command.id %> solar-0042 --json',
  ]

  static override args = installationArg

  protected async execute(): Promise<ShownRouter> {
    const { args, flags } = await this.parse(RouterShow)
    return getRouter(await this.workspace(flags), { installation: args.installation })
  }

  protected render(shown: ShownRouter): void {
    this.screen.facts([
      ['installation', shown.installation],
      ['driver', shown.driver],
      ['address', `${shown.username}@${shown.address} port ${shown.port}`],
      ['login', shown.login],
      ['host key', `${shown.hostKey.type} ${shown.hostKey.fingerprint}`],
      ...shown.jumps.map(
        ({ username, address, port }) =>
          ['by way of', `${username}@${address} port ${port}`] as const,
      ),
      ['added', this.screen.time(shown.addedAt)],
      ['verified', this.screen.time(shown.verifiedAt)],
      ...(shown.overlap === null
        ? []
        : ([
            ['former passphrase', `ends ${this.screen.time(shown.overlap.until)}`],
            ['loggers moved', `${shown.overlap.moved} of ${shown.overlap.loggers}`],
          ] as const)),
    ])
    this.screen.table(shown.credentials, [
      { title: 'SECRET', text: ({ kind }) => kind },
      { title: 'VERSION', text: ({ version }) => String(version), align: 'right' },
      { title: 'STATE', text: ({ state }) => state },
      { title: 'ORIGIN', text: ({ origin }) => origin },
      { title: 'NAME', text: ({ name }) => name },
      { title: 'SINCE', text: ({ createdAt }) => this.screen.time(createdAt) },
    ])
  }
}
