import { getDevice, type ShownDevice } from '../../lib/device/show.js'
import { serialArg } from '../../lib/terminal/arguments.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'

export default class DeviceShow extends BaseCommand<ShownDevice> {
  static override summary = 'show a device, where it stands and where it stood'
  static override description = 'Never shows a secret, nor a digest of one.'

  static override examples = ['<%= config.bin %> <%= command.id %> CDX-000123']

  static override args = serialArg

  protected async execute(): Promise<ShownDevice> {
    const { args, flags } = await this.parse(DeviceShow)
    return getDevice(await this.workspace(flags), { serial: args.serial })
  }

  protected render(device: ShownDevice): void {
    this.screen.facts([
      ['serial', device.serial],
      ['state', device.state],
      ['installation', device.installation ?? '-'],
      ['model', device.model],
      ['batch', device.batch],
      ['made', this.screen.time(device.manufacturedAt)],
      ['registered', this.screen.time(device.registeredAt)],
      ['last reading', this.screen.time(device.lastReadingAt)],
      ['former secret works until', this.screen.time(device.formerSecretUntil)],
      ['revoked', this.screen.time(device.revokedAt)],
      ['reason', device.revokeReason ?? '-'],
    ])
    if (device.placements.length === 0) return
    this.screen.table(device.placements, [
      { title: 'INSTALLATION', text: ({ installation }) => installation },
      { title: 'INSTALLED', text: ({ installedAt }) => this.screen.time(installedAt) },
      { title: 'BY', text: ({ installer }) => installer },
      { title: 'REMOVED', text: ({ removedAt }) => this.screen.time(removedAt) },
      { title: 'BY', text: ({ removedBy }) => removedBy ?? '-' },
    ])
  }
}
