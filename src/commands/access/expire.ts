import { expireAccess, type EndedGrant } from '../../lib/access/grant/end.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { drawEndedGrants } from '../../lib/terminal/ended-grants.js'

export default class AccessExpire extends BaseCommand<{ grants: EndedGrant[] }> {
  static override summary = 'end every grant whose time is over'
  static override description =
    'For a timer that runs every few minutes. Ends grants whose time is over, those of people who are off the list, ' +
    'and those that an earlier run could not end everywhere: closes the login, ends its sessions on every server and ' +
    'tries there that nobody gets in. Exit code 3 when one is not seen to be over on every server; the next run goes ' +
    'on. Only the owner of the cleverctl database may do this.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --quiet --no-input',
  ]

  protected async execute(): Promise<{ grants: EndedGrant[] }> {
    const { flags } = await this.parse(AccessExpire)
    return expireAccess(await this.changingWorkspace(flags), { environment: process.env })
  }

  protected render({ grants }: { grants: EndedGrant[] }): void {
    drawEndedGrants(this.screen, grants)
  }
}
