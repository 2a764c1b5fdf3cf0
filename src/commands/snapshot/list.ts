import { Flags } from '@oclif/core'
import { listSnapshotSets } from '../../lib/snapshot/list.js'
import type { SnapshotSet } from '../../lib/snapshot/types.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { stanzaFlag } from '../../lib/terminal/flags.js'
import { markOfSet } from '../../lib/terminal/snapshot.js'

export default class SnapshotList extends BaseCommand<{ sets: SnapshotSet[] }> {
  static override summary = 'list the sets of snapshots'
  static override description =
    'Oldest first, as they were when they were made or deleted; the hosts are not asked.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --all --json',
  ]

  static override flags = {
    all: Flags.boolean({ description: 'with those that were deleted' }),
    ...stanzaFlag,
  }

  protected async execute(): Promise<{ sets: SnapshotSet[] }> {
    const { flags } = await this.parse(SnapshotList)
    return listSnapshotSets(await this.workspace(flags), { stanza: flags.stanza, all: flags.all })
  }

  protected render({ sets }: { sets: SnapshotSet[] }): void {
    const hosts = ({ members }: SnapshotSet, isTaken: boolean) =>
      members
        .filter(({ state }) => (state === 'taken') === isTaken)
        .map(({ host }) => host)
        .join(',') || '-'
    this.screen.table(sets, [
      { title: 'SET', text: ({ set }) => set },
      { title: 'STATE', text: ({ state }) => state, mark: markOfSet },
      { title: 'BEGUN', text: ({ begunAt }) => this.screen.time(begunAt) },
      { title: 'HOSTS', text: (set) => hosts(set, true) },
      { title: 'NOT ON', text: (set) => hosts(set, false) },
    ])
  }
}
