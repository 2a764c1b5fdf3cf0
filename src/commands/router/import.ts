import { importRouters, type RouterImport as Result } from '../../lib/router/import.js'
import { importedFileArg } from '../../lib/terminal/arguments.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { hostKeyFlags } from '../../lib/terminal/flags.js'
import { importFlags, renderRejects } from '../../lib/terminal/import-report.js'

const { format, rejects } = importFlags
const { offline } = hostKeyFlags

export default class RouterImport extends BaseCommand<Result> {
  static override summary = 'record the routers of a file'
  static override description =
    'Columns: installation, driver, address, password, hostKey, port, username, ssid, wifiPassword; the ' +
    'last four may be empty. The file holds passwords, so it must be readable by you alone; the list of ' +
    'refused rows repeats none of them. Each router is contacted and its credential seen to open it, as ' +
    'by `router add`. A row that is refused does not keep the others out (exit 3), and the same command ' +
    'goes on where it was interrupted.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> routers.csv',
    '<%= config.bin %> <%= command.id %> routers.csv --offline',
  ]

  static override args = importedFileArg

  static override flags = { format, rejects, offline }

  protected async execute(): Promise<Result> {
    const { args, flags } = await this.parse(RouterImport)
    const { format: form, rejects: to, offline: isOffline } = flags
    const options = { input: args.file, format: form, rejects: to, isOffline }
    return importRouters(await this.changingWorkspace(flags), options, this.ways(flags))
  }

  protected render(result: Result): void {
    this.screen.facts([
      ['imported', String(result.imported)],
      ['unchanged', String(result.unchanged)],
      ['refused', String(result.rejected)],
      ['reject file', result.rejectsFile ?? '-'],
    ])
    renderRejects(this.screen, result.rejects, {
      title: 'INSTALLATION',
      text: ({ installation }) => installation,
    })
  }
}
