import { Flags } from '@oclif/core'
import { revealPassphrase, type RevealedRepository } from '../../../lib/backup/repository/reveal.js'
import { BaseCommand } from '../../../lib/terminal/base-command.js'
import { secretOutputFlags, stanzaFlag } from '../../../lib/terminal/flags.js'
import { placeOf, repositoryNumber } from '../../../lib/terminal/repository.js'

export default class BackupRepoReveal extends BaseCommand<RevealedRepository> {
  static override summary =
    'give the passphrase of a repository away, to read its backups elsewhere'
  static override description =
    'For the day on which the backup machine is lost: with it and what opens the place, pgBackRest of any machine reads ' +
    'the backups (repo1-cipher-pass). Also of a repository that was taken out. The trail takes down who and why before it ' +
    'is shown.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> 2 --reason "bak1 burnt down" --output passphrase.txt',
    '<%= config.bin %> <%= command.id %> 2 --reason "for the safe"',
  ]

  static override args = {
    number: repositoryNumber({ description: 'its number', required: true }),
  }

  static override flags = {
    reason: Flags.string({ description: 'why, for the trail', required: true }),
    ...secretOutputFlags,
    ...stanzaFlag,
  }

  protected async execute(): Promise<RevealedRepository> {
    const { args, flags } = await this.parse(BackupRepoReveal)
    const { reason, stanza } = flags
    const delivery = this.secretDestination(flags).required()
    const asked = { stanza, number: args.number, reason, delivery }
    return revealPassphrase(await this.changingWorkspace(flags), asked)
  }

  protected render(revealed: RevealedRepository): void {
    this.screen.facts([
      ['repository', String(revealed.number)],
      ['place', placeOf(revealed)],
    ])
  }
}
