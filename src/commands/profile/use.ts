import { Args } from '@oclif/core'
import { useProfile, type UsedProfile } from '../../lib/profile/use.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'

export default class ProfileUse extends BaseCommand<UsedProfile> {
  static override summary = 'choose the profile that commands use when none is named'
  static override description =
    'Writes currentProfile of config.json. A single command takes another profile by --profile, a shell by CLEVERCTL_PROFILE.'

  static override examples = ['<%= config.bin %> <%= command.id %> production']

  static override args = {
    name: Args.string({ description: 'name of the profile', required: true, ignoreStdin: true }),
  }

  protected async execute(): Promise<UsedProfile> {
    const { args, flags } = await this.parse(ProfileUse)
    return useProfile(this.surroundings(flags), args.name)
  }

  protected render({ profile, outcome }: UsedProfile): void {
    this.screen.line(`profile ${profile} ${outcome === 'changed' ? 'is now in use' : 'unchanged'}`)
  }
}
