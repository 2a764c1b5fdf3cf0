import {
  DEFAULT_GRACE_MS,
  rotateDeviceSecret,
  type RotatedSecret,
} from '../../lib/device/rotate-secret.js'
import { serialArg } from '../../lib/terminal/arguments.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { durationFlag, secretOutputFlags } from '../../lib/terminal/flags.js'

export default class DeviceRotateSecret extends BaseCommand<RotatedSecret> {
  static override summary = 'give a device a new secret'
  static override description =
    'The former secret works for the grace, so that the device can be given the new one without ' +
    'losing data. With --grace 0, for a secret that leaked, it ends at once, and so do the tokens that ' +
    'were got by it.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> CDX-000123 --grace 24h --output secret.txt',
    '<%= config.bin %> <%= command.id %> CDX-000123 --grace 0 --output secret.txt',
  ]

  static override args = serialArg

  static override flags = {
    grace: durationFlag({
      description:
        'how long the former secret works, 31d at most; 0 ends it at once [default: 24h]',
    }),
    ...secretOutputFlags,
  }

  protected async execute(): Promise<RotatedSecret> {
    const { args, flags } = await this.parse(DeviceRotateSecret)
    const delivery = this.secretDestination(flags).required()
    const workspace = await this.changingWorkspace(flags)
    const { grace: graceMs = DEFAULT_GRACE_MS } = flags
    return rotateDeviceSecret(workspace, { serial: args.serial, graceMs, delivery })
  }

  protected render(result: RotatedSecret): void {
    this.screen.facts([
      ['device', result.serial],
      ['outcome', result.outcome],
      ['former secret works until', this.screen.time(result.formerSecretUntil)],
    ])
  }
}
