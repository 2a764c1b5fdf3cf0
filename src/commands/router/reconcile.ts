import { Flags } from '@oclif/core'
import { reconcileRouters, type Reconciled } from '../../lib/router/rotation/reconcile.js'
import { anyInstallationsArg } from '../../lib/terminal/arguments.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import {
  needsForRouters,
  DEFAULT_ROUTERS_AT_ONCE,
  routerConcurrencyFlag,
} from '../../lib/terminal/campaign-flags.js'

export default class RouterReconcile extends BaseCommand<Reconciled> {
  static override summary = 'find out which secrets are in force where a rotation was cut off'
  static override description =
    'Asks each router by digests, has the change finished or undone, and records what came of it: new, old, or ' +
    'foreign where somebody changed it by hand. Former Wi-Fi passphrases whose overlap is over are taken off. ' +
    'Without a code every router is looked after that needs it; meant for cron. One that refused every login three ' +
    'times in a row is then asked by name only. Exit codes: 3 some could not be settled; 8 something foreign was ' +
    'found; of one router 4 it refused the login, 6 another host key, 7 out of reach.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> solar-0042 --json',
    '<%= config.bin %> <%= command.id %> solar-0042 --end-overlap',
  ]

  static override strict = false

  static override args = anyInstallationsArg

  static override flags = {
    'end-overlap': Flags.boolean({
      description: 'take former Wi-Fi passphrases off now; loggers that have not moved are cut off',
    }),
    ...routerConcurrencyFlag,
  }

  protected async execute(): Promise<Reconciled> {
    const { argv, flags } = await this.parse(RouterReconcile)
    const { concurrency = DEFAULT_ROUTERS_AT_ONCE } = flags
    const needs = needsForRouters(concurrency)
    return reconcileRouters(
      await this.changingWorkspace(flags, needs),
      { installations: argv.map(String), isEndingOverlap: flags['end-overlap'], concurrency },
      this.ways(flags),
    )
  }

  protected render({ routers }: Reconciled): void {
    if (routers.length === 0) return this.screen.facts([['routers', '0: nothing is open']])
    this.screen.table(routers, [
      { title: 'INSTALLATION', text: ({ installation }) => installation },
      {
        title: 'IN FORCE',
        text: ({ state }) => state ?? '-',
        mark: ({ state }) => (state === 'foreign' ? 'failure' : undefined),
      },
      { title: 'OVERLAP', text: ({ overlapEnded }) => (overlapEnded ? 'ended' : '-') },
      {
        title: 'TROUBLE',
        text: ({ error }) => error?.message ?? '-',
        mark: ({ error }) => (error ? 'failure' : undefined),
      },
    ])
  }
}
