import { Flags } from '@oclif/core'
import { registerDevices, type RegisteredDevices } from '../../lib/device/register.js'
import { serialsArg } from '../../lib/terminal/arguments.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { secretOutputFlags } from '../../lib/terminal/flags.js'

export default class DeviceRegister extends BaseCommand<RegisteredDevices> {
  static override summary = 'register single devices by hand'
  static override description =
    'For a repaired or hand-made device; lots come by `device import`. All of the devices are ' +
    'registered or none. The new secrets go into the secrets file; the secret of a single device can ' +
    'also be shown once on a terminal.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> CDX-000123 --secrets-out secrets.csv',
    '<%= config.bin %> <%= command.id %> CDX-000123 CDX-000124 --batch B-2026-11 --manufactured-at 2026-11-02 --secrets-out secrets.csv',
  ]

  static override strict = false

  static override args = serialsArg

  static override flags = {
    model: Flags.string({ description: 'model of the devices', default: 'CleverDx' }),
    batch: Flags.string({ description: 'production lot of the devices', default: 'single' }),
    'manufactured-at': Flags.string({
      description: 'when they were made, a date or RFC 3339 (without it: now)',
      helpValue: 'TIME',
    }),
    'secrets-out': Flags.string({
      description:
        'file for the new secrets (CSV: serial,secret), readable by you alone, never overwritten',
      helpValue: 'FILE',
      exclusive: ['reveal'],
    }),
    reveal: secretOutputFlags.reveal,
  }

  protected async execute(): Promise<RegisteredDevices> {
    const { argv, flags } = await this.parse(DeviceRegister)
    return registerDevices(await this.changingWorkspace(flags), {
      serials: argv.map(String),
      model: flags.model,
      batch: flags.batch,
      manufacturedAt: flags['manufactured-at'],
      secretsOut: flags['secrets-out'],
      delivery: this.secretDestination(flags).ifAny(),
    })
  }

  protected render(result: RegisteredDevices): void {
    this.screen.facts([
      ['registered', String(result.registered)],
      ['unchanged', String(result.unchanged)],
      ['secrets file', result.secretsFile ?? '-'],
    ])
  }
}
