import { showClientCa } from '../../../lib/access/ca/show.js'
import type { ShownCa } from '../../../lib/access/ca/types.js'
import { BaseCommand } from '../../../lib/terminal/base-command.js'
import { drawCa } from '../../../lib/terminal/client-ca.js'

export default class AccessCaShow extends BaseCommand<ShownCa> {
  static override summary =
    'print the certificate of the authority that signs client certificates of grants'
  static override description =
    'PEM, behind comments that say what every server needs, so that it can be put into a file as it is, with a list ' +
    'that revokes nothing yet. Neither is a secret. The key is never shown.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> | ssh postgres@db1.example.com "cat > /var/lib/postgresql/15/main/client-ca.pem"',
  ]

  protected async execute(): Promise<ShownCa> {
    const { flags } = await this.parse(AccessCaShow)
    return showClientCa(await this.workspace(flags))
  }

  protected render(shown: ShownCa): void {
    drawCa(this.screen, shown)
  }
}
