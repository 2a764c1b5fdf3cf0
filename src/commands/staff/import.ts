import { Args, Flags } from '@oclif/core'
import { importStaff, type StaffImport as Result } from '../../lib/staff/import.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { dryRunFlag } from '../../lib/terminal/flags.js'
import { importFlags, renderRejects } from '../../lib/terminal/import-report.js'

export default class StaffImport extends BaseCommand<Result> {
  static override summary = 'put the people of a file on the list'
  static override description =
    'Columns: email, name, roleNames, networks, until; several role names or networks have a space between ' +
    'them. With --format scim a SCIM list response: userName, displayName or name, active, roles, and ' +
    'roleNames, networks and until in the extension urn:ietf:params:scim:schemas:extension:cleverctl:2.0:User; ' +
    'people with active false are removed. Whoever is on the list and not in the file stays on it. A row that is ' +
    'refused does not keep the others out (exit 3). A person who is there with other facts is refused, or ' +
    'changed with --replace.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> staff.csv --dry-run',
    '<%= config.bin %> <%= command.id %> users.json --format scim --replace',
  ]

  static override args = {
    file: Args.string({
      description: 'CSV, NDJSON or SCIM file, - for stdin',
      required: true,
      ignoreStdin: true,
    }),
  }

  static override flags = {
    ...importFlags,
    format: Flags.option({ options: ['csv', 'ndjson', 'scim'] as const })({
      description: 'form of the input (without it: CSV or NDJSON, told by its first character)',
    }),
    replace: Flags.boolean({ description: 'change people who are there with other facts' }),
    ...dryRunFlag,
  }

  protected async execute(): Promise<Result> {
    const { args, flags } = await this.parse(StaffImport)
    const { format, rejects, strict: isStrict, replace: isReplaced } = flags
    const isDryRun = flags['dry-run'] === true
    const workspace = isDryRun ? await this.workspace(flags) : await this.changingWorkspace(flags)
    const options = { input: args.file, format, rejects, isStrict, isReplaced, isDryRun }
    return importStaff(workspace, options)
  }

  protected render(result: Result): void {
    const would = result.dryRun ? 'would be ' : ''
    this.screen.facts([
      [`${would}added`, String(result.added)],
      [`${would}changed`, String(result.changed)],
      [`${would}removed`, String(result.removed)],
      ['unchanged', String(result.unchanged)],
      ['refused', String(result.rejected)],
      ['reject file', result.rejectsFile ?? '-'],
    ])
    renderRejects(this.screen, result.rejects, { title: 'EMAIL', text: ({ email }) => email })
  }
}
