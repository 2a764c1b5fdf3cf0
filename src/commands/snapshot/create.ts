import { Flags } from '@oclif/core'
import { createSnapshots } from '../../lib/snapshot/create.js'
import type { SnapshotSet } from '../../lib/snapshot/types.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { stanzaFlag } from '../../lib/terminal/flags.js'
import { drawSet } from '../../lib/terminal/snapshot.js'

export default class SnapshotCreate extends BaseCommand<SnapshotSet> {
  static override summary = 'make snapshots of the data on all database hosts at once, as one set'
  static override description =
    'Each host says at which place in the WAL, on which timeline and as what it made its snapshot. The set is whole ' +
    'when every host made one and all have one history. A set that a kill left unfinished is settled by the next ' +
    'one. Exit codes: 0 whole; 3 partial, the result says why; 6 somebody else makes or deletes snapshots; otherwise ' +
    'no host made one: 4 not let in (`host prepare`), 7 out of reach, 1 another reason.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> --all --label nightly',
    '<%= config.bin %> <%= command.id %> --host db2 --host db3 --json',
  ]

  static override flags = {
    all: Flags.boolean({ description: 'on every database host', exactlyOne: ['all', 'host'] }),
    host: Flags.string({
      description: 'on this host; may be given several times',
      helpValue: 'NAME',
      multiple: true,
      multipleNonGreedy: true,
    }),
    label: Flags.string({ description: 'ends the name of the set', helpValue: 'nightly' }),
    ...stanzaFlag,
  }

  protected async execute(): Promise<SnapshotSet> {
    const { flags } = await this.parse(SnapshotCreate)
    const { host: hosts, label, stanza } = flags
    const asked = { environment: process.env, stanza, hosts, label }
    return createSnapshots(await this.changingWorkspace(flags), asked)
  }

  protected render(set: SnapshotSet): void {
    drawSet(this.screen, set)
  }
}
