import { Flags } from '@oclif/core'
import { createCa, type CreatedCa } from '../../../lib/access/ca/create.js'
import { BaseCommand } from '../../../lib/terminal/base-command.js'
import { drawCa } from '../../../lib/terminal/client-ca.js'
import { yesFlag } from '../../../lib/terminal/flags.js'

export default class AccessCaCreate extends BaseCommand<CreatedCa> {
  static override summary = 'make the authority that signs client certificates of grants'
  static override description =
    'Its private key stays in the cleverctl database, sealed by the keyring. Nothing is changed on any server: what ' +
    'each of them needs is printed with the certificate. The same command again changes nothing, unless --replace is ' +
    'given: then the former key is erased, and the servers need the new certificate. That is refused while a grant ' +
    'by certificate is open. Only the owner of the cleverctl database may make one.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --replace --yes',
  ]

  static override flags = {
    replace: Flags.boolean({ description: 'make another in the place of the one that is there' }),
    ...yesFlag,
  }

  protected async execute(): Promise<CreatedCa> {
    const { flags } = await this.parse(AccessCaCreate)
    const { replace: isReplaced } = flags
    if (isReplaced) await this.confirm(flags, 'Erase the key of the authority that is there?')
    return createCa(await this.changingWorkspace(flags), { isReplaced })
  }

  protected render(created: CreatedCa): void {
    drawCa(this.screen, created)
  }
}
