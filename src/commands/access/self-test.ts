import { testAudit } from '../../lib/access/self-test/run.js'
import type { SelfTest } from '../../lib/access/self-test/types.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'

export default class AccessSelfTest extends BaseCommand<SelfTest> {
  static override summary = 'prove that the audit finds what it says it finds'
  static override description =
    'Starts a throw-away PostgreSQL server on this machine, plants every known fault in it, one after the other, ' +
    'and looks whether access audit finds each by the right rule and with the right name, and nothing where there ' +
    'is no fault. No other server is touched; the throw-away one listens on 127.0.0.1 and goes at the end, also ' +
    'when this command is killed. Rules that need a library which this PostgreSQL lacks are left out and named. ' +
    'Exit code 8 when a fault was missed or a finding is false.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --json',
  ]

  protected async execute(): Promise<SelfTest> {
    const { flags } = await this.parse(AccessSelfTest)
    return testAudit(this.surroundings(flags))
  }

  protected render(test: SelfTest): void {
    const { planted, found, falseFindings, missed, wrong, leftOut } = test
    this.screen.facts([
      ['planted', String(planted)],
      ['found', String(found)],
      ['false findings', String(falseFindings)],
    ])
    for (const { rule, fault } of missed) this.screen.mark('failure', `missed: ${fault}`, rule)
    for (const { rule, subject, evidence, at } of wrong)
      this.screen.mark('failure', `false: ${subject}: ${evidence} (${at})`, rule)
    for (const { rule, reason } of leftOut) this.screen.mark('warning', `left out: ${reason}`, rule)
  }
}
