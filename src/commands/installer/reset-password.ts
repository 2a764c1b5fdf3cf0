import { Flags } from '@oclif/core'
import { type ResetPassword, resetInstallerPassword } from '../../lib/installer/reset-password.js'
import { emailArg } from '../../lib/terminal/arguments.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { passwordFileFlag } from '../../lib/terminal/flags.js'

export default class InstallerResetPassword extends BaseCommand<ResetPassword> {
  static override summary = 'give an installer a new password'
  static override description =
    'Ends the lock-out after wrong passwords and the tokens the app holds. ' +
    'A disabled installer is let in again with --enable only.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> installer@example.com --password-file password.txt',
    '<%= config.bin %> <%= command.id %> installer@example.com --password-file password.txt --enable',
  ]

  static override args = emailArg

  static override flags = {
    ...passwordFileFlag,
    enable: Flags.boolean({ description: 'let a disabled installer in again' }),
  }

  protected async execute(): Promise<ResetPassword> {
    const { args, flags } = await this.parse(InstallerResetPassword)
    const password = await this.secretInput(flags, {
      file: flags['password-file'],
      flagName: 'password-file',
      question: 'New password',
      repeat: 'The same password again',
    })
    const workspace = await this.changingWorkspace(flags)
    return resetInstallerPassword(workspace, { email: args.email, password, enable: flags.enable })
  }

  protected render(result: ResetPassword): void {
    const enabled = result.enabled ? ', enabled again' : ''
    this.screen.line(`installer ${result.email}: password ${result.outcome}${enabled}`)
  }
}
