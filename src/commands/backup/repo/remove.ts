import { removeRepository, type RemovedRepository } from '../../../lib/backup/repository/remove.js'
import { administratorFlags, readAdministrator } from '../../../lib/terminal/administrator.js'
import { BaseCommand } from '../../../lib/terminal/base-command.js'
import { stanzaFlag, yesFlag } from '../../../lib/terminal/flags.js'
import { drawMachines, placeOf, repositoryNumber } from '../../../lib/terminal/repository.js'

export default class BackupRepoRemove extends BaseCommand<RemovedRepository> {
  static override summary = 'take a repository out of pgBackRest on every machine'
  static override description =
    'Takes out what `backup repo add` wrote, on the database hosts first. No backup is deleted: what lies in the ' +
    'repository stays there, and `backup repo reveal` still gives its passphrase. The only repository that has backups is ' +
    'not taken out (exit 6). Exit 3 where a database host was out of reach: the same command finishes.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> 2 --identity ~/.ssh/admin',
    '<%= config.bin %> <%= command.id %> 2 --yes --identity ~/.ssh/admin --json',
  ]

  static override args = {
    number: repositoryNumber({ description: 'its number', required: true }),
  }

  static override flags = { ...yesFlag, ...administratorFlags(), ...stanzaFlag }

  protected async execute(): Promise<RemovedRepository> {
    const { args, flags } = await this.parse(BackupRepoRemove)
    const { number } = args
    const administrator = await readAdministrator(flags, (input) => this.secretInput(flags, input))
    const workspace = await this.changingWorkspace(flags)
    await this.confirm(flags, `Send no more backups and WAL to repository ${number}?`)
    const changer = { administrator, environment: process.env }
    return removeRepository(workspace, { number, stanza: flags.stanza, changer })
  }

  protected render(removed: RemovedRepository): void {
    this.screen.facts([
      ['repository', String(removed.number)],
      ['place', placeOf(removed)],
      ['outcome', removed.outcome],
    ])
    drawMachines(this.screen, removed.machines)
  }
}
