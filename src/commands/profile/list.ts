import { listProfiles, type ListedProfile } from '../../lib/profile/list.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'

export default class ProfileList extends BaseCommand<{ profiles: ListedProfile[] }> {
  static override summary = 'list the profiles and tell which one is in use'
  static override description =
    "Contacts no database. What the environment or --database-url put in a profile's place is not shown."

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --json',
  ]

  protected async execute(): Promise<{ profiles: ListedProfile[] }> {
    const { flags } = await this.parse(ProfileList)
    return listProfiles(this.surroundings(flags).environment)
  }

  protected render({ profiles }: { profiles: ListedProfile[] }): void {
    this.screen.table(profiles, [
      { title: 'NAME', text: ({ name }) => name },
      { title: 'IN USE', text: ({ isInUse }) => (isInUse ? 'yes' : 'no') },
      { title: 'KEYRING', text: ({ keyring }) => keyring.provider },
      { title: 'DATABASE', text: ({ database }) => database.description },
    ])
  }
}
