import { Args, Flags } from '@oclif/core'
import { restoreSnapshot, type RestoredSnapshot } from '../../lib/snapshot/restore.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'

export default class SnapshotRestore extends BaseCommand<RestoredSnapshot> {
  static override summary = 'copy a snapshot to a folder from which a server can be started'
  static override description =
    'On the host that made it, as the owner of its data. The folder must not be there or must be empty, and lies ' +
    'neither in the data directory nor around it. A server started from the copy follows no other and archives ' +
    'nothing until the last lines of its postgresql.auto.conf are removed.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> 20261125-030000-nightly --host db2 --to /var/lib/postgresql/15/restored',
    '<%= config.bin %> <%= command.id %> 20261125-030000-nightly --host db2 --to /var/lib/postgresql/15/restored --json',
  ]

  static override args = {
    set: Args.string({ description: 'name of the set', required: true, ignoreStdin: true }),
  }

  static override flags = {
    host: Flags.string({
      description: 'whose snapshot, and where the copy goes',
      helpValue: 'NAME',
      required: true,
    }),
    to: Flags.string({ description: 'folder on the host', helpValue: 'DIR', required: true }),
  }

  protected async execute(): Promise<RestoredSnapshot> {
    const { args, flags } = await this.parse(SnapshotRestore)
    const { host, to: directory } = flags
    const asked = { environment: process.env, set: args.set, host, directory }
    return restoreSnapshot(await this.changingWorkspace(flags), asked)
  }

  protected render(copy: RestoredSnapshot): void {
    this.screen.facts([
      ['set', copy.set],
      ['host', copy.host],
      ['folder', copy.directory],
      ['taken', this.screen.time(copy.takenAt)],
      ['as', copy.role ?? '-'],
      ['timeline', String(copy.timeline ?? '-')],
      ['LSN', copy.lsn ?? '-'],
    ])
  }
}
