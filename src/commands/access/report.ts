import { Flags } from '@oclif/core'
import { reportAccess } from '../../lib/access/report/report.js'
import type { AccessReport } from '../../lib/access/report/types.js'
import { drawAccessReport } from '../../lib/terminal/access-report.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { durationFlag } from '../../lib/terminal/flags.js'

export default class AccessReportCommand extends BaseCommand<AccessReport> {
  static override summary = 'tell auditors who may reach the databases, who did, and what proves it'
  static override description =
    'Who was in, from where and when; findings by severity over time and those that stand, accepted risks, grants, ' +
    'drills and backups with their evidence, and whether the trail and the ledger of sessions are whole, from what ' +
    'the cleverctl database keeps; no server is asked. Files are written whole, replaced if there, and for you alone to read, except SARIF and JUnit. The HTML file needs no ' +
    'network and has no script. Exit code 8 when the trail or the ledger is broken. Findings and what could not be checked stand ' +
    'in the report and do not change the exit code: access audit is what checks.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> --html report.html',
    '<%= config.bin %> <%= command.id %> --since 365d --csv report --json',
    '<%= config.bin %> <%= command.id %> --sarif access.sarif --junit access.xml --quiet',
  ]

  static override flags = {
    since: durationFlag({ description: 'how far back [default: 30d]', helpValue: '30d|365d' }),
    limit: Flags.integer({
      description: 'rows of each list at most; the totals count all of them',
      default: 500,
      min: 1,
      max: 10_000,
    }),
    html: Flags.string({
      description: 'write it as one HTML file with charts, to read and to print',
      helpValue: 'FILE',
    }),
    csv: Flags.string({
      description: 'write each list as a CSV file into this folder',
      helpValue: 'FOLDER',
    }),
    sarif: Flags.string({
      description: 'write the findings that stand to this file, for code scanning',
      helpValue: 'FILE',
    }),
    junit: Flags.string({
      description: 'write a test case for each rule at each server to this file',
      helpValue: 'FILE',
    }),
  }

  protected async execute(): Promise<AccessReport> {
    const { flags } = await this.parse(AccessReportCommand)
    const { since: sinceMs = 30 * 86_400_000, limit, html, csv, sarif, junit } = flags
    const { version } = this.config
    const files = { html, csv, sarif, junit, folder: process.cwd(), version }
    return reportAccess(await this.workspace(flags), { sinceMs, limit, files })
  }

  protected render(report: AccessReport): void {
    drawAccessReport(this.screen, report)
  }
}
