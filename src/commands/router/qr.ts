import { Flags } from '@oclif/core'
import { UsageError } from '../../lib/errors.js'
import {
  makeWifiLabels,
  type LabelDestination,
  type WifiLabels,
} from '../../lib/router/qr/labels.js'
import { installationsArg } from '../../lib/terminal/arguments.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'

export default class RouterQr extends BaseCommand<WifiLabels> {
  static override summary = 'make a QR code by which a phone joins the Wi-Fi of an installation'
  static override description =
    'Shown in a terminal, or written to a file: .svg and .png hold one label, .html a sheet of them for ' +
    'printing. The code holds the passphrase, so the trail takes it down, and the file is yours alone. A ' +
    'label says which version of the passphrase it has.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> solar-0042',
    '<%= config.bin %> <%= command.id %> solar-0042 --output label.svg',
    '<%= config.bin %> <%= command.id %> solar-0042 solar-0043 --output labels.html',
  ]

  static override strict = false

  static override args = installationsArg

  static override flags = {
    output: Flags.string({
      description: 'file for the labels, by its ending: .svg, .png or .html; never overwritten',
      helpValue: 'FILE',
    }),
  }

  protected async execute(): Promise<WifiLabels> {
    const { argv, flags } = await this.parse(RouterQr)
    const destination = this.#destination(flags.output)
    const installations = argv.map(String)
    return makeWifiLabels(await this.changingWorkspace(flags), { installations, destination })
  }

  protected render({ labels, file }: WifiLabels): void {
    if (file === null) return
    for (const { installation, ssid, version } of labels)
      this.screen.facts([
        ['installation', installation],
        ['SSID', ssid],
        ['version', String(version)],
      ])
    this.screen.line(file)
  }

  /** The labels hold a secret: they go to a file, else to the terminal and nowhere else. */
  #destination(file: string | undefined): LabelDestination {
    if (file !== undefined) return { file }
    if (!this.screen.isTerminal || this.jsonEnabled())
      throw new UsageError('missing-output', 'the labels have nowhere to go: --output is missing')
    return { show: (lines) => this.screen.lightOnDark(lines) }
  }
}
