import { Args, Flags } from '@oclif/core'
import { drillSnapshots, type SnapshotDrill } from '../../lib/snapshot/drill.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { drawChecks } from '../../lib/terminal/drill.js'

export default class SnapshotDrillCommand extends BaseCommand<SnapshotDrill> {
  static override summary =
    'prove a set of snapshots: start a server from each and look at what it holds'
  static override description =
    'On the hosts that made them, from a copy beside the data directory that is thrown away afterwards. The server has ' +
    'no network and archives nothing. Checks: recovery comes to its end; pg_amcheck and page checksums find nothing. ' +
    'The signed result goes into the trail. Exit codes: 0 proven; 8 a check failed; 7 a host is out of reach; 1 a ' +
    'check could not be carried out; 5 no such snapshot; 6 a drill is under way.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> 20261125-030000-nightly',
    '<%= config.bin %> <%= command.id %> 20261125-030000-nightly --host db2 --json',
  ]

  static override args = {
    set: Args.string({ description: 'name of the set', required: true, ignoreStdin: true }),
  }

  static override flags = {
    host: Flags.string({
      description: 'only the snapshot of this host; may be given several times',
      helpValue: 'NAME',
      multiple: true,
      multipleNonGreedy: true,
    }),
    directory: Flags.string({
      description: 'where there is room on the hosts [default: beside the data directory]',
      helpValue: 'DIR',
    }),
  }

  protected async execute(): Promise<SnapshotDrill> {
    const { args, flags } = await this.parse(SnapshotDrillCommand)
    const { host: hosts, directory } = flags
    const asked = { environment: process.env, set: args.set, hosts, directory }
    return drillSnapshots(await this.changingWorkspace(flags), asked)
  }

  protected render({ members }: SnapshotDrill): void {
    const seconds = (value: number | null) => (value === null ? '-' : `${value.toFixed(1)} s`)
    for (const { host, rpoSeconds, rtoSeconds, checks, reason } of members) {
      this.screen.facts([
        ['host', host],
        ['age of the snapshot (RPO)', seconds(rpoSeconds)],
        ['until usable (RTO)', seconds(rtoSeconds)],
      ])
      drawChecks(this.screen, checks)
      if (reason !== null) this.screen.mark('failure', `not checked: ${reason}`)
    }
  }
}
