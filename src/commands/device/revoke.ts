import { Flags } from '@oclif/core'
import { revokeDevices, type RevokedDevices } from '../../lib/device/revoke.js'
import { serialsArg } from '../../lib/terminal/arguments.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { yesFlag } from '../../lib/terminal/flags.js'

export default class DeviceRevoke extends BaseCommand<RevokedDevices> {
  static override summary = 'revoke devices for good'
  static override description =
    'For devices that were stolen, lost or opened. Every running gate refuses their data and their ' +
    'tokens within a second; there is no way back. Serials that are not registered are named (exit 3); ' +
    'the others are revoked all the same.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> CDX-000123 --reason stolen --yes',
    '<%= config.bin %> <%= command.id %> CDX-000123 CDX-000124 --reason "lost in transport"',
  ]

  static override strict = false

  static override args = serialsArg

  static override flags = {
    reason: Flags.string({ description: 'why, for the registry and the trail', required: true }),
    ...yesFlag,
  }

  protected async execute(): Promise<RevokedDevices> {
    const { argv, flags } = await this.parse(DeviceRevoke)
    const serials = argv.map(String)
    const workspace = await this.changingWorkspace(flags)
    await this.confirm(flags, `Revoke ${serials.join(', ')} for good?`)
    return revokeDevices(workspace, { serials, reason: flags.reason })
  }

  protected render(result: RevokedDevices): void {
    this.screen.facts([
      ['revoked', result.revoked.join(' ') || '-'],
      ['unchanged', result.unchanged.join(' ') || '-'],
      ['not found', result.notFound.join(' ') || '-'],
    ])
  }
}
