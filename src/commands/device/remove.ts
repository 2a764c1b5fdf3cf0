import { removeDevice, type RemovedDevice } from '../../lib/device/remove.js'
import { serialArg } from '../../lib/terminal/arguments.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'

export default class DeviceRemove extends BaseCommand<RemovedDevice> {
  static override summary = 'record that a device stands at its installation no longer'
  static override description =
    'What an installer does with the app, for a device that is gone. It stays registered, its data ' +
    'is refused, and it can be installed again with the app.'

  static override examples = ['<%= config.bin %> <%= command.id %> CDX-000123']

  static override args = serialArg

  protected async execute(): Promise<RemovedDevice> {
    const { args, flags } = await this.parse(DeviceRemove)
    return removeDevice(await this.changingWorkspace(flags), { serial: args.serial })
  }

  protected render({ serial, outcome, installation }: RemovedDevice): void {
    this.screen.facts([
      ['device', serial],
      ['outcome', outcome],
      ['stood at', installation ?? '-'],
    ])
  }
}
