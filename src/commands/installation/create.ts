import { Args, Flags } from '@oclif/core'
import { createInstallation, type CreatedInstallation } from '../../lib/installation/create.js'
import { parseDegrees } from '../../lib/installation/types.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'

export default class InstallationCreate extends BaseCommand<CreatedInstallation> {
  static override summary = 'enter a PV plant'
  static override description =
    'The same command again changes nothing; the code of another installation is never taken over.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> solar-0042 --name "Almeria 42" --timezone Europe/Madrid --latitude 36.84 --longitude -2.46',
  ]

  static override args = {
    installation: Args.string({
      description: 'code: small letters, digits and hyphens',
      required: true,
      ignoreStdin: true,
    }),
  }

  static override flags = {
    name: Flags.string({ description: 'name for people', required: true }),
    timezone: Flags.string({
      description: 'IANA name of its time zone',
      required: true,
      helpValue: 'Europe/Madrid',
    }),
    latitude: Flags.custom<number>({ parse: async (text) => parseDegrees('latitude', text) })({
      description: 'degrees north, -90 to 90',
      required: true,
      helpValue: 'DEGREES',
    }),
    longitude: Flags.custom<number>({ parse: async (text) => parseDegrees('longitude', text) })({
      description: 'degrees east, -180 to 180',
      required: true,
      helpValue: 'DEGREES',
    }),
  }

  protected async execute(): Promise<CreatedInstallation> {
    const { args, flags } = await this.parse(InstallationCreate)
    const { name, timezone, latitude, longitude } = flags
    const facts = { code: args.installation, name, timezone, latitude, longitude }
    return createInstallation(await this.changingWorkspace(flags), facts)
  }

  protected render({ code, outcome }: CreatedInstallation): void {
    this.screen.facts([
      ['installation', code],
      ['outcome', outcome],
    ])
  }
}
