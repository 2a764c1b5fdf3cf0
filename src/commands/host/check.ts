import { Args } from '@oclif/core'
import { checkHosts, type CheckedHosts } from '../../lib/host/check/check.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'

const MARKS = { ok: 'ok', problem: 'failure', 'not-checked': 'failure' } as const

export default class HostCheckCommand extends BaseCommand<CheckedHosts> {
  static override summary =
    'see whether machines have and allow what cleverctl needs, and what is missing'
  static override description =
    'SSH, clock, PostgreSQL and its data directory, disks, pgBackRest with its own check, and the forced command for ' +
    'snapshots with the snapshots that must be there. Exit codes: 0 all is well; 8 something is wrong; 6 a machine ' +
    'shows another host key than the pinned one; 7 a machine was out of reach; 1 something could not be looked at.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> db1 bak1 --json',
  ]

  static override strict = false

  static override args = {
    name: Args.string({
      description: 'names of the hosts; all without any',
      required: false,
      ignoreStdin: true,
    }),
  }

  protected async execute(): Promise<CheckedHosts> {
    const { argv, flags } = await this.parse(HostCheckCommand)
    const asked = { names: argv as string[], environment: process.env }
    return checkHosts(await this.workspace(flags), asked)
  }

  protected render({ hosts }: CheckedHosts): void {
    for (const { name, checks } of hosts) {
      this.screen.heading(name)
      const names = checks.map(({ check }) => check)
      for (const { check, state, message, fix } of checks) {
        const label = this.screen.isTerminal ? check : `${name} ${check}`
        this.screen.mark(MARKS[state], message, label, names)
        if (fix !== null) this.screen.detail(fix)
      }
    }
  }
}
