import { Flags } from '@oclif/core'
import { type DevicePage, listDevices } from '../../lib/device/list.js'
import { DEVICE_STATES } from '../../lib/device/types.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { pageFlags } from '../../lib/terminal/flags.js'

export default class DeviceList extends BaseCommand<DevicePage> {
  static override summary = 'list devices by serial, page by page'
  static override description =
    'States: manufactured (stood nowhere yet), installed, removed (stands nowhere any more), revoked. ' +
    'A cursor is the last serial of the page before.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> --installation solar-0042',
    '<%= config.bin %> <%= command.id %> --state manufactured --batch B-2026-11 --limit 1000',
    '<%= config.bin %> <%= command.id %> --serial-prefix CDX-0001 --cursor CDX-000123',
  ]

  static override flags = {
    installation: Flags.string({
      description: 'only devices that stand at this installation',
      helpValue: 'CODE',
    }),
    batch: Flags.string({ description: 'only devices of this production lot' }),
    model: Flags.string({ description: 'only devices of this model' }),
    state: Flags.option({ options: DEVICE_STATES })({ description: 'only devices in this state' }),
    'serial-prefix': Flags.string({ description: 'only serials that begin like this' }),
    ...pageFlags,
  }

  protected async execute(): Promise<DevicePage> {
    const { flags } = await this.parse(DeviceList)
    const { installation, batch, model, state, limit, cursor } = flags
    const serialPrefix = flags['serial-prefix']
    const filter = { installation, batch, model, state, serialPrefix }
    return listDevices(await this.workspace(flags), { ...filter, limit, cursor })
  }

  protected render({ devices, nextCursor }: DevicePage): void {
    this.screen.table(devices, [
      { title: 'SERIAL', text: ({ serial }) => serial },
      { title: 'STATE', text: ({ state }) => state },
      { title: 'INSTALLATION', text: ({ installation }) => installation ?? '-' },
      { title: 'MODEL', text: ({ model }) => model },
      { title: 'BATCH', text: ({ batch }) => batch },
      { title: 'MADE', text: ({ manufacturedAt }) => this.screen.time(manufacturedAt) },
    ])
    if (nextCursor !== undefined && this.screen.isTerminal)
      this.screen.line(`more: --cursor ${nextCursor}`)
  }
}
