import { Flags } from '@oclif/core'
import { type AddedInstaller, addInstaller } from '../../lib/installer/add.js'
import { emailArg } from '../../lib/terminal/arguments.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { passwordFileFlag } from '../../lib/terminal/flags.js'

export default class InstallerAdd extends BaseCommand<AddedInstaller> {
  static override summary = 'add a person who uses the mobile app'
  static override description =
    'The password has 15 characters or more; any characters will do. Only its argon2id hash is kept. ' +
    'Adding the same person with the same password again changes nothing.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> installer@example.com --name "Ines Taller" --password-file password.txt',
    'pass show installer | <%= config.bin %> <%= command.id %> installer@example.com --name "Ines Taller" --password-file -',
  ]

  static override args = emailArg

  static override flags = {
    name: Flags.string({ description: 'name of the person (asked for in a terminal)' }),
    ...passwordFileFlag,
  }

  protected async execute(): Promise<AddedInstaller> {
    const { args, flags } = await this.parse(InstallerAdd)
    const name = await this.textInput(flags, {
      value: flags.name,
      flagName: 'name',
      question: 'Name of the installer',
    })
    const password = await this.secretInput(flags, {
      file: flags['password-file'],
      flagName: 'password-file',
      question: 'Password',
      repeat: 'The same password again',
    })
    const workspace = await this.changingWorkspace(flags)
    return addInstaller(workspace, { email: args.email, name, password })
  }

  protected render(result: AddedInstaller): void {
    this.screen.line(`installer ${result.email} ${result.outcome}`)
  }
}
